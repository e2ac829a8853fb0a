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

_ABSL = logging.getLogger("absl")
_ORBAX = str(pathlib.Path(ocp.__file__).parent)


@functools.cache
def silence_failures() -> None:
    """Drops what the libraries log and print besides the error that they raise, from now on.

    For writers, whose work goes on in other threads. Called again it does nothing.
    """
    _ABSL.addFilter(_is_of_others)
    asyncio.set_event_loop_policy(_Policy())


@contextlib.contextmanager
def failures_silenced() -> Iterator[None]:
    """Does the same meanwhile; loops that others make later are the usual ones."""
    policy = asyncio.get_event_loop_policy()
    if isinstance(policy, _Policy):
        yield
        return
    _ABSL.addFilter(_is_of_others)
    asyncio.set_event_loop_policy(_Policy())
    try:
        yield
    finally:
        asyncio.set_event_loop_policy(policy)
        _ABSL.removeFilter(_is_of_others)


class _Loop(asyncio.SelectorEventLoop):
    """A loop that ignores answers after its end, and failures that nobody waits for any more.

    The first array that fails ends the loop in which Orbax waits for all of them. TensorStore
    answers for the others later, from threads of its own.
    """

    def call_soon_threadsafe(self, *args: Any, **options: Any) -> Any:  # type: ignore[override]
        return None if self.is_closed() else super().call_soon_threadsafe(*args, **options)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        message = context.get("message") or ""
        if "never retrieved" not in message and "was destroyed" not in message:
            super().call_exception_handler(context)


class _Policy(asyncio.DefaultEventLoopPolicy):
    _loop_factory = _Loop


def _is_of_others(record: logging.LogRecord) -> bool:
    return not record.pathname.startswith(_ORBAX)
