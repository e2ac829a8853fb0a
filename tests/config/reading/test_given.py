"""Configs and overrides as Python programs give them."""

import pathlib

import numpy as np
import pytest

from symmflow_jax.config import conversion
from symmflow_jax.config.reading import given


def test_overrides_come_by_dotted_key_or_by_section():
    found = given.flat_overrides(
        {"train.batch_size": np.int64(8), "data": {"dir": pathlib.Path("x")}},
        {"train": {"clock_shares": {"tied": 0.5}}, "seed": 3},
        None,
    )
    assert found == {
        "train.batch_size": 8,
        "data.dir": "x",
        "train.clock_shares.tied": 0.5,
        "seed": 3,
    }
    assert type(found["train.batch_size"]) is int


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (({"train.num_epoch": 1},), r"num_epoch is not a config key\. Did you mean 'train\.num_ep"),
        (({"train": {"num_epoch": 1}},), r"train\.num_epoch is not a config key\. Did you mean"),
        (({"seed": 1}, {"seed": 2}), "config.seed is given twice"),
        (("train.num_epochs=1",), r"The overrides are 'train\.num_epochs=1'; give a dictionary"),
        (({"train": 3},), "config.train is not a config key"),
    ],
)
def test_wrong_overrides_are_told(overrides, message):
    with pytest.raises(ValueError, match=message):
        given.flat_overrides(*overrides)


def test_every_form_of_a_config_gives_the_same_experiment(tmp_path):
    values = conversion.default()
    values.train.batch_size = 8
    file = tmp_path / "mine.py"
    file.write_text(
        "from symmflow_jax.config import conversion\n"
        "def get_config():\n"
        "    config = conversion.default()\n"
        "    config.train.batch_size = 8\n"
        "    return config\n"
    )
    forms = (values, file, str(file), {"train": {"batch_size": 8}}, {"train.batch_size": 8})
    expected = given.experiment_of(values, {"data.image_size": [16, 16]})
    assert expected.data.image_size == (16, 16) and expected.train.batch_size == 8
    for form in forms:
        assert given.experiment_of(form, {"data.image_size": (16, 16)}) == expected
    assert [given.name_of(form) for form in forms] == ["", "mine", "mine", "", ""]
    assert given.name_of("shapes") == "shapes"


def test_what_is_no_config_is_told():
    with pytest.raises(ValueError, match="The config is 3; give a config file"):
        given.experiment_of(3, {})
    with pytest.raises(ValueError, match=r"config.data.source is 'shape'; .* mean 'shapes'\?"):
        given.experiment_of({}, {"data.source": "shape"})


def test_a_changed_experiment_keeps_its_classes_and_expands_paths(tiny_experiment, monkeypatch):
    monkeypatch.setenv("PLACE", "/somewhere")
    experiment = tiny_experiment()
    other = given.changed(experiment, {"data.dir": "$PLACE", "eval.num_steps": 3})
    assert other.schema == experiment.schema and other.data.dir == "/somewhere"
    assert other.eval.num_steps == (3,) and experiment.eval.num_steps == (1, 2)
