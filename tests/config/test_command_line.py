"""Mistakes on the command line that are found before anything starts."""

import pytest

from symmflow_jax.config.command_line import _check_paths, explain_config_flags


def test_overrides_are_checked_before_anything_starts():
    assert explain_config_flags(["--config=a.py", "--config.seed=3", "--mode=train"]) is None
    explained = explain_config_flags(["--config.train.peak_learn_rate=1"])
    assert "'train.peak_learning_rate'" in explained


def test_a_path_that_the_locale_cannot_write_is_refused():
    values = {"data": {"dir": "/data/gr\ud800n", "class_names": ("gr\ud800n",)}, "seed": 3}
    with pytest.raises(ValueError, match=r"config\.data\.dir='/data/gr.ud800n'.*PYTHONUTF8=1"):
        _check_paths(values)
    _check_paths({"data": {"dir": "/data/gr\udcf6n"}})  # A name that is not UTF-8.
