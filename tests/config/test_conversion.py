import json
import math

import pytest
from ml_collections import config_dict

from symmflow_jax.config import conversion
from symmflow_jax.config.values import Config, EvalConfig, TrainConfig


def values(**changes):
    """The default values with some of them changed: `values(train={"batch_size": 8})`."""
    result = conversion.to_json(Config())
    for key, change in changes.items():
        if isinstance(change, dict):
            result[key] |= change
        else:
            result[key] = change
    return result


def test_default_is_the_frozen_default():
    assert conversion.from_config_dict(conversion.default()) == Config()


def test_default_is_locked():
    config = conversion.default()
    with pytest.raises(AttributeError, match="batch_size"):
        config.train.batchsize = 3
    with pytest.raises(AttributeError):
        config.optimizer = "adam"


def test_default_is_new_each_time():
    conversion.default().train.batch_size = 3
    assert conversion.default().train.batch_size == Config().train.batch_size


def test_changes_arrive_in_the_frozen_config():
    config = conversion.default()
    config.train.batch_size = 7
    config.data.image_size = (24, 32)
    config.data.ignored_id = 255
    config.train.clip_norm = 1.0
    frozen = conversion.from_config_dict(config)
    assert frozen.train.batch_size == 7
    assert frozen.data.image_size == (24, 32)
    assert frozen.data.ignored_id == 255
    assert frozen.train.clip_norm == 1.0


def test_misspelt_key_names_the_nearest():
    changed = values()
    changed["train"]["batchsize"] = changed["train"].pop("batch_size")
    with pytest.raises(ValueError, match=r"config\.train\.batchsize .* mean 'batch_size'\?"):
        conversion.from_json(changed)


def test_key_like_no_other_lists_the_keys():
    with pytest.raises(ValueError, match=r"config\.xyz .* The keys are seed, parallel, data"):
        conversion.from_json(values(xyz=1))


def test_missing_keys_take_their_defaults():
    changed = values(train={"warmup_epochs": 0.5})
    del changed["train"]["ema_decay"], changed["eval"]
    config = conversion.from_json(changed)
    assert config.train.warmup_epochs == 0.5
    assert config.train.ema_decay == TrainConfig().ema_decay
    assert config.eval == EvalConfig()


@pytest.mark.parametrize(
    ("section", "key", "value", "kind"),
    [
        ("train", "batch_size", 8.0, "int"),
        ("train", "batch_size", True, "int"),
        ("train", "batch_size", "8", "int"),
        ("train", "ema_decay", "high", "float"),
        ("train", "ema_decay", False, "float"),
        ("train", "clip_norm", "1", "float"),
        ("data", "random_flip", 1, "bool"),
        ("data", "dir", None, "str"),
        ("network", "channel_multipliers", (1, 2.5), "int"),
        ("data", "class_names", ("a", 3), "str"),
    ],
)
def test_wrong_types_name_the_key_the_value_and_the_type(section, key, value, kind):
    with pytest.raises(ValueError, match=rf"config\.{section}\.{key} .* of type {kind}"):
        conversion.from_json(values(**{section: {key: value}}))


def test_integers_stand_for_floats_and_single_items_for_tuples():
    config = conversion.from_json(
        values(train={"peak_learning_rate": 1}, eval={"num_steps": 5, "solvers": ["rk4"]})
    )
    assert type(config.train.peak_learning_rate) is float
    assert config.eval.num_steps == (5,)
    assert config.eval.solvers == ("rk4",)


def test_configs_survive_json():
    config = conversion.from_json(
        values(
            seed=3,
            data={"image_size": (24, 24), "class_names": ("a", "b"), "ignored_id": 2},
            train={"clip_norm": 0.5},
        )
    )
    assert conversion.from_json(json.loads(json.dumps(conversion.to_json(config)))) == config


def test_optional_values_can_be_set_by_flags():
    config = conversion.default()
    with pytest.raises(TypeError):
        config.data.ignored_id = "void"  # A typed placeholder, not a bare None.
    assert isinstance(config, config_dict.ConfigDict)


@pytest.mark.parametrize(
    "changes",
    [
        {"train": {"ema_decay": 1.0, "clip_norm": 0.0, "warmup_epochs": 9.0}},
        {"seed": -1, "guidance": {"weight": math.nan}, "eval": {"num_steps": (0,)}},
        {"network": {"attention_rates": (3,)}},
    ],
)
def test_a_run_of_an_earlier_version_is_read_though_it_would_be_refused_today(changes):
    with pytest.raises(ValueError, match="must be|longer than|no level"):
        conversion.from_json(values(**changes))
    assert conversion.from_saved_json(values(**changes)) is not None


@pytest.mark.parametrize(
    "changes",
    [{"network": {"num_groups": 0}}, {"data": {"image_size": (7, 7)}}, {"network": {"name": "x"}}],
)
def test_a_saved_config_that_gives_no_model_is_refused(changes):
    with pytest.raises(ValueError, match=f"config.{next(iter(changes))}"):
        conversion.from_saved_json(values(**changes))


def test_paths_of_users_are_expanded_and_those_of_runs_are_not(monkeypatch):
    monkeypatch.setenv("DATA", "/big")
    given = conversion.default()
    given.data.dir = given.data.train_images = given.eval.lpips_weights = "$DATA/x"
    given.eval.num_feature_samples = 2
    given.data.class_names = ("$DATA",)
    config = conversion.from_config_dict(given)
    assert config.data.dir == config.data.train_images == config.eval.lpips_weights == "/big/x"
    assert config.data.class_names == ("$DATA",)
    assert conversion.from_saved_json(given.to_dict()).data.dir == "$DATA/x"


def test_whole_numbers_that_no_float_holds_are_refused():
    with pytest.raises(ValueError, match=r"num_epochs is 1000.*, which is too large"):
        conversion.from_json(values(train={"num_epochs": 10**400}))


@pytest.mark.parametrize("values", ["text", [1], None, 3])
def test_a_saved_config_of_another_kind_is_refused(values):
    with pytest.raises(ValueError, match="config is .*; it must have the keys"):
        conversion.from_saved_json(values)
