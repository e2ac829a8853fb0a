"""Log lines of the project in Python programs and notebooks, where no command shows them."""

import contextlib
import logging
import sys
import time
from collections.abc import Iterator
from typing import TextIO

from absl import logging as absl_logging

_KIND = "symmflow_kind"

PROGRESS = {_KIND: "progress"}
"""`extra` of a log line that the next one of its kind makes needless."""

TABLE = {_KIND: "table"}
"""`extra` of a log line that is a long table."""

_SECONDS = 0.5


@contextlib.contextmanager
def shown() -> Iterator[None]:
    """Shows the log of the project meanwhile, unless the program shows it already.

    Long tables are left out. In a notebook progress lines replace each other.
    """
    project = logging.getLogger("symmflow_jax")
    if project.handlers:
        with libraries_quiet():
            yield
        return
    stream = sys.stdout
    handler: logging.Handler = InPlace(stream) if in_notebook() else logging.StreamHandler(stream)
    handler.addFilter(lambda record: getattr(record, _KIND, "") != TABLE[_KIND])
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%H:%M:%S"))
    level, propagates = project.level, project.propagate
    project.addHandler(handler)
    project.setLevel(min(logging.INFO, level or logging.INFO))
    project.propagate = False
    try:
        with libraries_quiet():
            yield
    finally:
        handler.close()
        project.removeHandler(handler)
        project.setLevel(level)
        project.propagate = propagates


@contextlib.contextmanager
def libraries_quiet() -> Iterator[None]:
    """Hides notes of the libraries meanwhile, such as those of checkpoints about their options."""
    # The verbosity of absl is the level of the root logger where absl shows the log.
    libraries = absl_logging.get_absl_logger()
    before = libraries.level
    libraries.setLevel(max(before, logging.ERROR))
    try:
        yield
    finally:
        libraries.setLevel(before)


def in_notebook() -> bool:
    """True in a cell of a notebook, whose output can be written over."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")


class InPlace(logging.Handler):
    """Writes progress lines over each other, at most two a second, and the others below them.

    Args:
        stream: where to.
    """

    def __init__(self, stream: TextIO):
        super().__init__()
        self._stream = stream
        self._pending, self._shown, self._width, self._time = "", False, 0, -_SECONDS

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a record, or keeps a progress line until it is due."""
        text = self.format(record)
        if getattr(record, _KIND, "") == PROGRESS[_KIND]:
            self._pending = text
            if time.monotonic() - self._time >= _SECONDS:
                self._show()
            return
        self._end_line()
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def close(self) -> None:
        """Writes the last progress line and ends it."""
        self._end_line()
        super().close()

    def _show(self) -> None:
        if self._pending:
            self._stream.write("\r" * self._shown + self._pending.ljust(self._width))
            self._stream.flush()
            self._width, self._shown = len(self._pending), True
            self._pending, self._time = "", time.monotonic()

    def _end_line(self) -> None:
        self._show()
        if self._shown:
            self._stream.write("\n")
            self._stream.flush()
        self._shown, self._width = False, 0
