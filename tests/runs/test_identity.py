"""Whether a run may go on from a checkpoint, by what both say of their models."""

import copy
import pathlib

import pytest

from symmflow_jax.runs.identity import check_same_model, describe
from symmflow_jax.semantics.labels import consecutive

_WORKDIR = pathlib.Path("run")


@pytest.fixture
def description(tiny_experiment):
    return describe(tiny_experiment().with_schema(consecutive(("sky", "road"))))


def test_a_checkpoint_from_before_a_config_key_goes_on(description):
    saved = copy.deepcopy(description)
    del saved["config"]["network"]["cross_attention_width"]
    check_same_model(saved, description, _WORKDIR)


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("network", "channels", 16, r"config\.network\.channels is 16, was 8"),
        ("semantics", "label_scale", 8.0, r"config\.semantics\.label_scale is 8\.0, was 1\.0"),
        ("train", "clock", "independent", r"clocks is 'two', was 'one'"),
    ],
)
def test_another_model_is_named_by_what_differs(description, section, key, value, message):
    current = copy.deepcopy(description)
    current["config"][section][key] = value
    with pytest.raises(ValueError, match=message):
        check_same_model(description, current, _WORKDIR)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [("network", "remat", True), ("train", "batch_size", 4), ("eval", "ensemble_size", 3)],
)
def test_what_changes_no_weights_may_change(description, section, key, value):
    current = copy.deepcopy(description)
    current["config"][section][key] = value
    check_same_model(description, current, _WORKDIR)


def test_a_run_of_equal_class_names_goes_on_with_names_that_differ(tiny_experiment, description):
    saved = copy.deepcopy(description)
    saved["schema"]["names"] = ["sky", "sky"]
    current = describe(tiny_experiment().with_schema(consecutive(("sky", "sky (1)"))))
    check_same_model(saved, current, _WORKDIR)
