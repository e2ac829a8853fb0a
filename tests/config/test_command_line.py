"""Mistakes on the command line that are found before anything starts."""

import pytest

from symmflow_jax.config.command_line import _check_paths, explain_config_flags, with_letters


def test_overrides_are_checked_before_anything_starts():
    assert explain_config_flags(["--config=a.py", "--config.seed=3", "--mode=train"]) is None
    explained = explain_config_flags(["--config.train.peak_learn_rate=1"])
    assert "'train.peak_learning_rate'" in explained


def test_a_path_that_the_locale_cannot_write_is_refused():
    values = {"data": {"dir": "/data/gr\ud800n", "class_names": ("gr\ud800n",)}, "seed": 3}
    with pytest.raises(ValueError, match=r"config\.data\.dir='/data/gr.ud800n'.*PYTHONUTF8=1"):
        _check_paths(values)
    _check_paths({"data": {"dir": "/data/gr\udcf6n"}})  # A name that is not UTF-8.


def test_names_of_classes_have_their_letters_in_every_locale():
    names = "('Stra\udcc3\udc9fe','b')"  # As Python reads UTF-8 where the locale is C.
    path = "--config.data.dir=gr\udcc3\udcb6n"
    given = [f"--config.data.class_names={names}", path, "--config.data.class_names", names, names]
    read = with_letters(given)
    assert read[0] == "--config.data.class_names=('Straße','b')"
    assert read[1:] == [path, "--config.data.class_names", "('Straße','b')", names]
    with pytest.raises(ValueError, match=r"class_names is given as .*udcf6.* no text in UTF-8"):
        with_letters(["--config.data.class_names=gr\udcf6n"])
