"""Names of earlier versions: renewed in what was saved, explained to who writes them today."""

import copy
import json

import pytest

from symmflow_jax.config import conversion
from symmflow_jax.config.reading import overrides
from symmflow_jax.config.schema import old_names
from symmflow_jax.config.values import ClockShares, Config

_SAVED = {
    "seed": 4,
    "semantics": {"encoding": "plane", "amplitude": 0.5},
    "train": {
        "clock": "free",
        "share_at_one": 0.25,
        "clock_shares": [0.1, 0.2, 0.3, 0.4],
        "batch_size": 7,
    },
    "eval": {"clock": "held", "num_draws": 5},
}

keys = pytest.mark.parametrize(("old", "new"), old_names.KEYS.items())
values = pytest.mark.parametrize(
    ("key", "old", "new"),
    [(key, *names) for key, table in old_names.VALUES.items() for names in table.items()],
)


def _of(config: dict, key: str):
    section, name = key.split(".")
    return config[section][name]


def test_an_earlier_config_is_renewed_and_nothing_else_changes():
    before = copy.deepcopy(_SAVED)
    assert old_names.renewed(_SAVED) == {
        "seed": 4,
        "semantics": {"encoding": "plane", "label_scale": 0.5},
        "train": {
            "clock": "independent",
            "prob_at_one": 0.25,
            "clock_shares": {
                "tied": 0.1,
                "independent": 0.2,
                "clean_image": 0.3,
                "clean_semantics": 0.4,
            },
            "batch_size": 7,
        },
        "eval": {"clock": "clean", "ensemble_size": 5},
    }
    assert before == _SAVED


def test_a_saved_config_is_read_silently():
    config = conversion.from_saved_json(json.loads(json.dumps(_SAVED)))
    assert config.train.clock_shares == ClockShares(0.1, 0.2, 0.3, 0.4)
    assert (config.train.prob_at_one, config.eval.ensemble_size) == (0.25, 5)
    assert config.semantics.label_scale == 0.5
    assert (config.train.clock, config.eval.clock) == ("independent", "clean")


@pytest.mark.parametrize("saved", [{}, {"train": {}}, conversion.to_json(Config())])
def test_what_has_no_old_name_stays(saved):
    assert old_names.renewed(saved) == saved


@keys
def test_the_new_name_of_an_old_key_is_told(old, new):
    section, name = old.split(".")
    with pytest.raises(ValueError, match=rf"config\.{old} is not .*It is called config\.{new} now"):
        conversion.from_json({section: {name: 1}})
    with pytest.raises(ValueError, match=rf"It is called config\.{new} now\.$"):
        overrides.split([f"--config.{old}=1"])
    assert _of(conversion.to_json(Config()), new) is not None


@values
def test_the_new_name_of_an_old_value_is_told(key, old, new):
    section, name = key.split(".")
    message = rf"config\.{key} is '{old}'; choose one of .*{new}.*'{old}' is called '{new}' now"
    with pytest.raises(ValueError, match=message):
        conversion.from_json({section: {name: old}})
    assert old_names.advice(key, new) == ""


def test_shares_in_a_row_have_keys_now():
    message = "config.train.clock_shares is .* a key for each share now: train.clock_shares.tied, "
    with pytest.raises(ValueError, match=message):
        conversion.from_json({"train": {"clock_shares": (0.25, 0.25, 0.25, 0.25)}})
    with pytest.raises(ValueError, match=message.split(" is ")[0] + " is not a config key. It has"):
        overrides.split(["--config.train.clock_shares=(1.0,0.0,0.0,0.0)"])


def test_names_that_never_were_old_get_no_advice():
    assert old_names.advice("train.batch_size") == ""
    assert old_names.advice("train.clock", "loose") == ""
    assert old_names.advice("train.clock", 3) == ""


@pytest.mark.parametrize("values", [None, 3, "train", ["train"]])
def test_values_that_are_no_config_are_left_to_their_reader(values):
    assert old_names.renewed(values) == values
    with pytest.raises(ValueError, match="^config is "):
        conversion.from_saved_json(values)


def test_what_a_run_did_before_there_was_a_key_stays():
    saved = {"data": {"source": "paired_folder"}}
    assert conversion.from_saved_json(saved).data.ignored == "class"
    assert old_names.renewed({"data": {"ignored": "unknown"}})["data"]["ignored"] == "unknown"
    # A new config has the default.
    assert conversion.from_json(saved).data.ignored == "unknown"


@pytest.mark.parametrize("shares", [[], [0.5], [0.2] * 5])
def test_shares_of_another_number_are_an_error_of_the_config(shares):
    with pytest.raises(ValueError, match="config.train.clock_shares is "):
        conversion.from_saved_json({"train": {"clock_shares": shares}})
