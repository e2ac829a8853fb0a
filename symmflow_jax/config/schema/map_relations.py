"""Checks of the keys of a flow map, and of those that need one."""

import operator

from symmflow_jax.config.build.method.method import CLOCKS, dissolves
from symmflow_jax.config.build.method.objectives import OBJECTIVES, has_span, key_of_spans
from symmflow_jax.config.build.metrics import METRICS
from symmflow_jax.config.build.solvers import SOLVERS
from symmflow_jax.config.choices import listed
from symmflow_jax.config.values import Config


def check(config: Config) -> None:
    """Raises a ValueError for the first key that a flow map, or its lack, does not allow."""
    train, key = config.train, key_of_spans(config)
    maps = [name for name, choice in OBJECTIVES.items() if choice.has_span]
    if not has_span(config):
        if key:
            raise ValueError(
                f"config.{key} is {operator.attrgetter(key)(config)!r}, which needs a network that "
                f"has learned a flow map; set config.train.objective to {listed(maps)}, or choose "
                "another solver."
            )
        return
    if dissolves(config):
        raise ValueError(
            f"config.eval.clock is 'tied', but config.train.objective={train.objective!r} learns "
            "jumps beside semantics that do not move; leave it empty."
        )
    if config.guidance.weight != 1.0 and key:
        raise ValueError(
            f"config.guidance.weight is {config.guidance.weight:g}, but jumps (config.{key}) take "
            "no guidance; set config.train.map_guidance in training instead."
        )
    shares = CLOCKS[train.clock].make(train)
    if not shares.clean_semantics:
        raise ValueError(
            f"config.train.objective is {train.objective!r}, which learns beside clean semantics, "
            "but no examples have them; set config.train.clock to 'mixed' and "
            "config.train.clock_shares.clean_semantics above 0."
        )
    has_noise = bool(shares.independent and train.prob_at_one)
    if train.map_guidance != 1.0 and not (has_noise or train.map_target):
        raise ValueError(
            f"config.train.map_guidance is {train.map_guidance:g}, which needs velocities beside "
            "semantics of pure noise; set config.train.prob_at_one and "
            "config.train.clock_shares.independent above 0."
        )
    kept = [name for name in config.eval.solvers if not SOLVERS[name].takes_spans]
    reading = [name for name in config.eval.metrics if METRICS[name].reads]
    if reading and not kept:
        raise ValueError(
            f"config.eval.solvers is {config.eval.solvers!r}, which makes images alone, but "
            f"config.eval.metrics has {reading[0]!r}; add a solver such as 'euler'."
        )
