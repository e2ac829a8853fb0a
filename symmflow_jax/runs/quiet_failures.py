"""Silence of the libraries about a checkpoint that could not be written or read.

A failure is raised once, to its caller. Orbax also logs its traceback in each of its threads, and
asyncio prints one for each array that was still to be written or read: up to a thousand lines.
"""

import asyncio
import contextlib
import functools
import logging
import pathlib
from collections.abc import Iterator
from typing import Any

import orbax.checkpoint as ocp

_ORBAX = str(pathlib.Path(ocp.__file__).parent)


@functools.cache
def silence_failures() -> None:
    """Drops what the libraries log and print besides the error that they raise, from now on.

    For writers, whose work goes on in other threads. Called again it does nothing.
    """
    for name, condition in _FILTERS:
        logging.getLogger(name).addFilter(condition)
    asyncio.set_event_loop_policy(_Policy())


@contextlib.contextmanager
def failures_silenced() -> Iterator[None]:
    """Does the same meanwhile; loops that others make later are the usual ones."""
    policy = asyncio.get_event_loop_policy()
    if isinstance(policy, _Policy):
        yield
        return
    with contextlib.ExitStack() as stack:
        for name, condition in _FILTERS:
            logging.getLogger(name).addFilter(condition)
            stack.callback(logging.getLogger(name).removeFilter, condition)
        asyncio.set_event_loop_policy(_Policy())
        stack.callback(asyncio.set_event_loop_policy, policy)
        yield


class _Loop(asyncio.SelectorEventLoop):
    """A loop that ignores answers after its end.

    The first array that fails ends the loop in which Orbax waits for all of them. TensorStore
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


_FILTERS = (("absl", _is_of_others), ("asyncio", _is_awaited))
