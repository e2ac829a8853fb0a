"""Silence of the libraries about a checkpoint that could not be written.

A failed write is raised once, to its caller. Orbax also logs its traceback in each of its threads,
and asyncio prints one for each array that was still to be written: a thousand lines.
"""

import asyncio
import functools
import logging
import pathlib
from typing import Any

import orbax.checkpoint as ocp

_ORBAX = str(pathlib.Path(ocp.__file__).parent)


@functools.cache
def report_failures_once() -> None:
    """Drops what the libraries log and print besides the error that they raise.

    Called again it does nothing.
    """
    logging.getLogger("absl").addFilter(_is_of_others)
    logging.getLogger("asyncio").addFilter(_is_awaited)
    asyncio.set_event_loop_policy(_Policy())


class _Loop(asyncio.SelectorEventLoop):
    """A loop that ignores answers after its end.

    The first write that fails ends the loop in which Orbax waits for all of them. TensorStore
    answers for the others later, from threads of its own.
    """

    def call_soon_threadsafe(self, *args: Any, **options: Any) -> Any:  # type: ignore[override]
        return None if self.is_closed() else super().call_soon_threadsafe(*args, **options)


class _Policy(asyncio.DefaultEventLoopPolicy):
    _loop_factory = _Loop


def _is_of_others(record: logging.LogRecord) -> bool:
    return not record.pathname.startswith(_ORBAX)


def _is_awaited(record: logging.LogRecord) -> bool:
    """False for the end of tasks that nobody waits for any more."""
    message = record.getMessage()
    return "never retrieved" not in message and "was destroyed" not in message
