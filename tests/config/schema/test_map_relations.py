"""Keys of a flow map that do not fit together, found before anything is built."""

import pytest

from symmflow_jax.config import conversion
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data.source import numbered_classes

_MIXED = {"train.clock": "mixed", "train.prob_at_one": 0.3}
_MAP = {**_MIXED, "train.objective": "flow_map"}


def _config(changes):
    values = conversion.default()
    values.update_from_flattened_dict(changes)
    return conversion.from_config_dict(values)


def test_a_map_may_jump_in_all_of_its_evaluation():
    config = _config({**_MAP, "eval.solvers": ("euler", "flow_map"),
                      "eval.generation_solver": "flow_map", "eval.num_steps": (1, 2)})  # fmt: skip
    experiment = Experiment(config, numbered_classes(3))
    assert experiment.method.has_span and experiment.method.time_sampling.map_share == 0.5
    rows = [(name, steps) for name, steps, _ in experiment.solver_rows()]
    assert rows == [("euler", 1), ("euler", 2), ("flow_map", 1), ("flow_map", 2)]
    # Recognition has no map.
    of_semantics = [(name, steps) for name, steps, _ in experiment.solver_rows(of_images=False)]
    assert of_semantics == rows[:2]
    name, steps, solve = experiment.generation_row
    assert (name, steps, solve.takes_spans) == ("flow_map", 25, True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"train.objective": "flow_map"},
            "config.train.objective is 'flow_map', which needs a network that learns with a clock "
            "for each component; set config.train.clock to 'independent' or 'mixed'.",
        ),
        (
            {**_MIXED, "eval.solvers": ("euler", "flow_map")},
            "config.eval.solvers is ('euler', 'flow_map'), which needs a network that has learned "
            "a flow map; set config.train.objective to flow_map, or choose another solver.",
        ),
        (
            {**_MIXED, "eval.generation_solver": "flow_map"},
            "config.eval.generation_solver is 'flow_map', which needs a network that has learned "
            "a flow map; set config.train.objective to flow_map, or choose another solver.",
        ),
        (
            {**_MAP, "eval.clock": "tied"},
            "config.eval.clock is 'tied', but config.train.objective='flow_map' learns jumps "
            "beside semantics that do not move; leave it empty.",
        ),
        (
            {**_MAP, "eval.generation_solver": "flow_map", "guidance.weight": 2.0},
            "config.guidance.weight is 2, but jumps (config.eval.generation_solver) take no "
            "guidance; set config.train.map_guidance in training instead.",
        ),
        (
            {**_MAP, "train.clock": "independent"},
            "config.train.objective is 'flow_map', which learns beside clean semantics, but no "
            "examples have them; set config.train.clock to 'mixed' and "
            "config.train.clock_shares.clean_semantics above 0.",
        ),
        (
            {**_MAP, "train.map_guidance": 1.5, "train.prob_at_one": 0.0},
            "config.train.map_guidance is 1.5, which needs velocities beside semantics of pure "
            "noise; set config.train.prob_at_one and config.train.clock_shares.independent above "
            "0.",
        ),
        (
            {**_MAP, "eval.solvers": ("flow_map",)},
            "config.eval.solvers is ('flow_map',), which makes images alone, but "
            "config.eval.metrics has 'recognition'; add a solver such as 'euler'.",
        ),
    ],
)
def test_refusals_name_the_remedy(changes, message):
    with pytest.raises(ValueError) as error:
        _config(changes)
    assert str(error.value) == message
