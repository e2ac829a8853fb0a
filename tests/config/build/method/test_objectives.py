"""Objectives by name."""

from symmflow_jax.config import conversion
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.build.method.objectives import OBJECTIVES, has_span, key_of_spans
from symmflow_jax.data.source import numbered_classes


def _config(**changes):
    values = conversion.default()
    values.update_from_flattened_dict({"train.clock": "mixed", **changes})
    return conversion.from_config_dict(values)


def test_objectives_are_made_of_their_guidance():
    made = {name: choice.resolve()(1.5) for name, choice in OBJECTIVES.items()}
    assert made["flow_map"].guidance == 1.5 and made["flow_map"] != made["flow"]


def test_only_a_map_has_spans_and_jumps():
    flow, mapped = _config(), _config(**{"train.objective": "flow_map", "train.map_share": 0.3})
    assert not has_span(flow) and has_span(mapped)
    assert key_of_spans(flow) is None
    for config, share in ((flow, 0.0), (mapped, 0.3)):
        method = Experiment(config, numbered_classes(3)).method
        assert method.time_sampling.map_share == share
        assert method.has_span == bool(share)
