"""Flags and keys that a command does not use."""

import logging

import pytest

from symmflow_jax import main
from symmflow_jax.commands.flags import usage

_USERS = {"first": ("seed", "solver"), "second": ("solver",), "third": ()}


def test_a_flag_of_other_commands_is_refused(flag_values):
    flag_values(seed="3")
    usage.refuse_flags_of_others("mode", "first", _USERS)
    message = "--seed is not used by --mode=second, but by first; leave it out, or choose another"
    with pytest.raises(ValueError, match=message):
        usage.refuse_flags_of_others("mode", "second", _USERS)


def test_flags_that_are_not_given_are_not_refused(flag_values):
    for name in _USERS:
        usage.refuse_flags_of_others("mode", name, _USERS)


def test_a_key_is_named_once(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("symmflow_jax"), "propagate", True)
    usage.name_unused_keys([])
    assert not caplog.text
    usage.name_unused_keys(["data.dir", "train.path", "data.dir"])
    assert "Not used by this command: config.data.dir, config.train.path." in caplog.text


@pytest.mark.parametrize("name", main.MODES)
def test_the_flags_of_a_command_exist(name):
    flags = main.flags.FLAGS
    for flag in main.MODES[name].flags:
        assert flag in flags
        assert flags[flag].help
