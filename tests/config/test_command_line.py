"""Mistakes on the command line that are found before anything starts."""

from symmflow_jax.config.command_line import explain_config_flags


def test_overrides_are_checked_before_anything_starts():
    assert explain_config_flags(["--config=a.py", "--config.seed=3", "--mode=train"]) is None
    explained = explain_config_flags(["--config.train.peak_learn_rate=1"])
    assert "'train.peak_learning_rate'" in explained
