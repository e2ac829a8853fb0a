"""Table of objectives, and the keys of a config that need a flow map."""

import dataclasses

from symmflow_jax.config.build.solvers import SOLVERS
from symmflow_jax.config.choices import Choice
from symmflow_jax.config.values import Config


@dataclasses.dataclass(frozen=True)
class ObjectiveChoice(Choice):
    """An objective, made by `constructor(train.map_guidance)`.

    Attributes:
        has_span: whether the network takes a span of time, as a flow map does.
    """

    has_span: bool = False


OBJECTIVES: dict[str, ObjectiveChoice] = {
    "flow": ObjectiveChoice(
        "symmflow_jax.flow.objectives.symmetric:SymmetricObjective.of_guidance",
        "the velocities, as in the paper",
    ),
    "flow_map": ObjectiveChoice(
        "symmflow_jax.flow.objectives.flow_map:FlowMapObjective.of_guidance",
        "jumps of the image over spans of time too, for generation in one step or few",
        has_span=True,
    ),
}
"""The values of `config.train.objective`; a constructor takes `train.map_guidance`."""


def key_of_spans(config: Config) -> str | None:
    """The first key of the config that needs a network with spans of time, or None."""
    asking = {
        "eval.solvers": any(SOLVERS[name].takes_spans for name in config.eval.solvers),
        "eval.generation_solver": SOLVERS[config.eval.generation_solver].takes_spans,
    }
    return next((key for key, asks in asking.items() if asks), None)


def has_span(config: Config) -> bool:
    """True if the network takes a span of time: it learns a flow map."""
    return OBJECTIVES[config.train.objective].has_span
