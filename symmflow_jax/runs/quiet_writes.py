"""Silence of the libraries about a checkpoint that could not be written.

A failed write is raised once, to its caller. Orbax also logs its traceback in each of its threads,
and TensorStore prints one for each array that was still to be written: a thousand lines.
"""

import functools
import logging
import pathlib
import sys
from types import TracebackType

import orbax.checkpoint as ocp

_ORBAX = str(pathlib.Path(ocp.__file__).parent)


@functools.cache
def report_failures_once() -> None:
    """Drops what the libraries log and print besides the error that they raise.

    Called again it does nothing.
    """
    logging.getLogger("absl").addFilter(_is_of_others)
    logging.getLogger("asyncio").addFilter(_is_of_running_loop)
    # TensorStore reports to this hook from threads of its own.
    previous = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not _is_late_answer(error):
            previous(kind, error, trace)

    sys.excepthook = hook


def _is_of_others(record: logging.LogRecord) -> bool:
    return not record.pathname.startswith(_ORBAX)


def _is_of_running_loop(record: logging.LogRecord) -> bool:
    """False for writes whose errors nobody waits for any more."""
    return "never retrieved" not in record.getMessage() and "was destroyed" not in (
        record.getMessage()
    )


def _is_late_answer(error: BaseException) -> bool:
    """True for the answer to a write of which the first error has ended the event loop."""
    return isinstance(error, RuntimeError) and str(error) == "Event loop is closed"
