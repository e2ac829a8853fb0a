"""Overrides on the command line, as a user or a script writes them."""

import pytest
from hypothesis import given, strategies as st

from symmflow_jax.config import conversion
from symmflow_jax.config.reading import overrides
from symmflow_jax.config.values import Config


def _value(*arguments: str, key: str):
    """The value of a key in the config that a command line gives."""
    rest, given_values = overrides.split(arguments)
    assert not rest
    values = overrides.applied(conversion.to_json(Config()), given_values)
    section, name = key.split(".")
    return getattr(getattr(conversion.from_given(values), section), name)


@pytest.mark.parametrize(
    ("key", "first", "last", "value"),
    [
        ("data.image_size", "32,32", "64,64", (64, 64)),
        ("data.image_size", "(32, 32)", "(64, 48)", (64, 48)),
        ("data.class_names", "('sky', 'road')", "('cat',)", ("cat",)),
        ("data.class_names", "a,b", "", ()),
        ("eval.num_steps", "1,2", "3", (3,)),
        ("eval.solvers", "euler,heun", "rk4", ("rk4",)),
        ("eval.metrics", "('recognition', 'cycle')", "agreement", ("agreement",)),
        ("network.attention_rates", "(1, 2)", "()", ()),
        ("train.batch_size", "8", "16", 16),
        ("train.clip_norm", "1", "none", None),
        ("data.ignored_id", "255", "0", 0),
        ("data.random_flip", "true", "false", False),
        ("data.dir", "a", "b=c", "b=c"),
    ],
)
def test_of_an_override_given_twice_the_last_counts(key, first, last, value):
    # As a script with defaults and "$@" gives them.
    assert _value(f"--config.{key}={first}", f"--config.{key}={last}", key=key) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("64,64", (64, 64)),
        ("(64, 64)", (64, 64)),
        ("[64,64]", (64, 64)),
        ("64, 64,", (64, 64)),
        ("()", ()),
        ("", ()),
        ("7", (7,)),
        ("7,", (7,)),
        ("(7,)", (7,)),
    ],
)
def test_tuples_of_numbers_are_written_in_several_ways(text, value):
    _, found = overrides.split([f"--config.network.attention_rates={text}"])
    assert found == {"network.attention_rates": value}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("('sky, blue', 'road (wet)')", ("sky, blue", "road (wet)")),
        ("('sky, blue',)", ("sky, blue",)),
        ("'sky, blue'", ("sky, blue",)),
        ('"don\'t", "x"', ("don't", "x")),
        ("road (wet)", ("road (wet)",)),
        ("sky,road (wet)", ("sky", "road (wet)")),
        ("sky, road", ("sky", "road")),
        ("don't,a-b", ("don't", "a-b")),
        ("Weg für Räder,道", ("Weg für Räder", "道")),
    ],
)
def test_names_keep_their_commas_and_brackets(text, names):
    assert _value(f"--config.data.class_names={text}", key="data.class_names") == names


@given(st.lists(st.text()).map(tuple))
def test_python_tuples_of_any_names_are_read_as_written(names):
    _, found = overrides.split([f"--config.data.class_names={names!r}"])
    assert found["data.class_names"] == names


@pytest.mark.parametrize("text", ["(sky, road)", "['a', b]", "'a", '"a", b', "(wet) road"])
def test_names_that_need_quotes_are_not_guessed(text):
    with pytest.raises(ValueError, match=r"cannot be read; quote each text in it, as in --config"):
        overrides.split([f"--config.data.class_names={text}"])


@pytest.mark.parametrize(
    ("key", "text", "kind"),
    [
        ("train.batch_size", "8.0", "int"),
        ("train.batch_size", "", "int"),
        ("train.num_epochs", "two", "float"),
        ("data.random_flip", "perhaps", "bool"),
        ("data.image_size", "64x64", "int"),
        ("data.image_size", "(64, 64.5)", "int"),
        ("data.class_names", "(1, 2)", "str"),
        ("data.ignored_id", "void", "int"),
    ],
)
def test_a_text_of_another_type_is_refused_by_name(key, text, kind):
    with pytest.raises(ValueError, match=rf"config\.{key} is .*; it must be of type {kind}\."):
        _value(f"--config.{key}={text}", key=key)


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (["--config.data.random_flip"], True),
        (["-config.data.random_flip"], True),
        (["--config.data.random_flip", "--noconfig.data.random_flip"], False),
        (["--noconfig.data.random_flip", "--config.data.random_flip=True"], True),
    ],
)
def test_switches_need_no_value(arguments, value):
    assert overrides.split(arguments) == ([], {"data.random_flip": value})


def test_a_value_may_be_the_next_argument():
    rest, found = overrides.split(["--config.train.batch_size", "8", "--config=a.py", "x"])
    assert (rest, found) == (["--config=a.py", "x"], {"train.batch_size": 8})


def test_what_follows_two_dashes_is_no_override():
    arguments = ["--config=a.py", "--", "--config.seed=3"]
    assert overrides.split(arguments) == (arguments, {})


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--config.train.peak_learn_rate=1", "not a config key. .*'train.peak_learning_rate'"),
        ("--config.train=1", "config.train is not a config key"),
        ("--config.data.image_size[0]=1", "is not a config key"),
        ("--config.train.batch_size", "has no value; write --config.train.batch_size=VALUE"),
        ("--noconfig.train.batch_size", "has no value"),
        ("--noconfig.data.random_flip=1", "is no override; write --config.KEY=VALUE"),
    ],
)
def test_what_is_no_override_is_refused(argument, message):
    with pytest.raises(ValueError, match=message):
        overrides.split([argument])


def test_the_config_file_stays_as_it_is():
    values = conversion.to_json(Config())
    changed = overrides.applied(values, {"train.clock_shares.tied": 1.0, "seed": 3})
    assert values == conversion.to_json(Config())
    assert changed["train"]["clock_shares"]["tied"] == 1.0 and changed["seed"] == 3
    assert changed["train"]["batch_size"] == Config().train.batch_size


def test_keys_that_a_command_does_not_use():
    keys = ["seed", "data.dir", "eval.num_steps", "eval.checkpoint"]
    assert overrides.unused(keys, ("data", "eval.checkpoint")) == ["seed", "eval.num_steps"]


def test_names_of_classes_have_their_letters_in_every_locale():
    names = "('Stra\udcc3\udc9fe','b')"  # As Python reads UTF-8 where the locale is C.
    _, values = overrides.split([
        f"--config.data.class_names={names}", "--config.data.dir=gr\udcc3\udcb6n",
    ])  # fmt: skip
    assert values == {"data.class_names": ("Straße", "b"), "data.dir": "gr\udcc3\udcb6n"}
    assert overrides.split(["--config.data.class_names", names])[1] == {
        "data.class_names": ("Straße", "b")
    }
    with pytest.raises(ValueError, match=r"class_names is given as .*udcf6.* no text in UTF-8"):
        overrides.split(["--config.data.class_names=gr\udcf6n"])


def test_a_blank_list_is_refused_and_an_empty_one_is_empty():
    assert _value("--config.data.class_names=", key="data.class_names") == ()
    with pytest.raises(ValueError, match=r"config\.data\.class_names is blank; write \(\) for"):
        overrides.split(["--config.data.class_names=  "])
