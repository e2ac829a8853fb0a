"""Log lines in Python programs and notebooks."""

import io
import logging
import sys
import types

import pytest
from absl import logging as absl_logging

from symmflow_jax.runtime import log_lines

_PROJECT = logging.getLogger("symmflow_jax")
_LOGGER = logging.getLogger("symmflow_jax.some.module")


@pytest.fixture(autouse=True)
def as_at_the_start(monkeypatch):
    """The project's logger as in a new program, whatever earlier tests have done to it."""
    monkeypatch.setattr(_PROJECT, "handlers", [])
    monkeypatch.setattr(logging.root.manager, "disable", logging.NOTSET)
    for logger in (_PROJECT, _LOGGER):
        # A library that sets up logging anew disables the loggers that exist.
        monkeypatch.setattr(logger, "disabled", False)
    level = _PROJECT.level
    _PROJECT.setLevel(logging.NOTSET)
    yield
    _PROJECT.setLevel(level)


def _speak() -> None:
    _LOGGER.info("begin")
    _LOGGER.info("a long\ntable", extra=log_lines.TABLE)
    for step in range(100):
        _LOGGER.info("step %d", step, extra=log_lines.PROGRESS)
    _LOGGER.warning("end")


def test_a_program_gets_each_line_once_and_keeps_its_logging(capsys):
    libraries = absl_logging.get_absl_logger()
    before = (_PROJECT.level, _PROJECT.propagate, libraries.level)
    with log_lines.shown():
        _speak()
    _LOGGER.info("not shown")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 102 and "table" not in "".join(lines)
    assert (_PROJECT.level, _PROJECT.propagate, libraries.level) == before
    assert _PROJECT.handlers == []


@pytest.mark.parametrize("shown_by", ["itself", "absl"])
def test_a_program_that_shows_the_log_itself_is_left_alone(monkeypatch, capsys, shown_by):
    if shown_by == "absl":
        monkeypatch.setattr(logging.root, "handlers", [absl_logging.get_absl_handler()])
    stream = io.StringIO()
    _PROJECT.addHandler(logging.StreamHandler(stream))
    with log_lines.shown():
        _LOGGER.warning("once")
        absl_logging.get_absl_logger().warning("of a library")
    assert stream.getvalue() == "once\n" and capsys.readouterr().out == ""


def test_in_a_notebook_progress_stays_in_one_line(monkeypatch, capsys):
    assert not log_lines.in_notebook()
    shell = types.SimpleNamespace(kernel=object())
    ipython = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    with log_lines.shown():
        _speak()
        _LOGGER.info("step 100", extra=log_lines.PROGRESS)
    text = capsys.readouterr().out
    lines = text.splitlines() if "\r" not in text else text.replace("\r", "\n").split("\n")
    # The first line of progress is due at once, the last one when another line comes.
    shown = [line.split("  ")[1].strip() for line in lines if line]
    assert shown == ["begin", "step 0", "step 99", "end", "step 100"]
    assert text.count("\n") == 4 and text.endswith("step 100\n")
