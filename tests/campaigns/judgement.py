"""What is right after damage: the same answer, a refusal of one line, or a word about it."""

import contextlib
import dataclasses
import logging
import pathlib
import signal
import traceback
from collections.abc import Iterator
from typing import Any

import numpy as np

from symmflow_jax.runtime.errors import CheckpointError

REFUSALS = (ValueError, ArithmeticError, CheckpointError)
"""Errors that the commands show as one line."""

SECONDS, MEGABYTES = 60, 4096
"""More than this is a hang, or too much memory."""

_LONGEST, _LONGEST_COMMAND = 800, 1_600
"""Most letters of a message, and of one with a command that converts the file."""

SAME, REFUSED, TOLD, EXCUSED, FAILED = "same", "refused", "told", "excused", "failed"
"""Outcomes; a difference that no format can tell of is excused, with the reason."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of one case.

    Attributes:
        seed: seed of the case.
        kind: kind of input.
        mutation: what was done to it.
        target: which file, or which key.
        outcome: one of the outcomes above.
        detail: the message, the reason, or what is wrong.
        place: where an error came from, "file:line" in the package.
    """

    seed: int
    kind: str
    mutation: str
    target: str
    outcome: str
    detail: str = ""
    place: str = ""


class Hang(BaseException):
    """A case took too long. No handler of errors catches it."""


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raises `Hang` in the block after so many seconds."""

    def stop(*_: Any) -> None:
        raise Hang(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += record.getMessage().splitlines()


@contextlib.contextmanager
def heard() -> Iterator[list[str]]:
    """The lines that the package logs in the block."""
    handler, logger = _Lines(), logging.getLogger("symmflow_jax")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield handler.lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def place_of(error: BaseException) -> str:
    """The last line of the package that an error, or its first cause, came through."""
    while error.__cause__ is not None:
        error = error.__cause__
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/symmflow_jax/" in frame.filename]
    if not ours:
        return ""
    name = ours[-1].filename.split("/symmflow_jax/", 1)[1]
    return f"{name}:{ours[-1].lineno}"


def fault_of(error: BaseException, names: tuple[str, ...]) -> str | None:
    """What is wrong with an error that a user would see, or None.

    Args:
        error: what was raised.
        names: names of which the message must hold one.
    """
    if not isinstance(error, REFUSALS):
        return f"traceback: {type(error).__name__}: {str(error)[:300]}"
    return fault_of_message(str(error), names)


def fault_of_message(message: str, names: tuple[str, ...]) -> str | None:
    """What is wrong with the message of a refusal, or None."""
    if not message.strip():
        return "an empty message"
    if len(message.splitlines()) > 1:
        return f"{len(message.splitlines())} lines: {message[:300]}"
    if len(message) > (_LONGEST_COMMAND if "python -c" in message else _LONGEST):
        return f"{len(message)} characters: {message[:300]}"
    if not any(name in message for name in names):
        return f"names neither {' nor '.join(names)}: {message[:300]}"
    return None


def equal(first: Any, second: Any) -> bool:
    """Tells if two results are the same, to the last bit."""
    if isinstance(first, dict):
        return (
            isinstance(second, dict)
            and first.keys() == second.keys()
            and all(equal(value, second[key]) for key, value in first.items())
        )
    if isinstance(first, list | tuple):
        return (
            isinstance(second, list | tuple)
            and len(first) == len(second)
            and all(map(equal, first, second))
        )
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        one, other = np.asarray(first), np.asarray(second)
        if one.dtype != other.dtype or one.shape != other.shape:
            return False
        return one.tobytes() == other.tobytes()
    return type(first) is type(second) and (first == second or first != first and second != second)


def errors_in(result: Any) -> list[BaseException]:
    """The refusals of single examples in a result."""
    if isinstance(result, dict):
        return [error for value in result.values() for error in errors_in(value)]
    if isinstance(result, list | tuple):
        return [error for value in result for error in errors_in(value)]
    return [result] if isinstance(result, BaseException) else []


def difference(truth: Any, result: Any, where: str = "") -> str:
    """The first place where two results differ, leaving out refused examples; "" if nowhere."""
    if isinstance(result, BaseException):
        return ""
    if isinstance(truth, dict) and isinstance(result, dict):
        for key in [*truth, *(key for key in result if key not in truth)]:
            if key not in truth or key not in result:
                return f"{where}/{key} is in one alone"
            found = difference(truth[key], result[key], f"{where}/{key}")
            if found:
                return found
        return ""
    if equal(truth, result):
        return ""
    if isinstance(truth, np.ndarray) and isinstance(result, np.ndarray):
        if truth.shape != result.shape or truth.dtype != result.dtype:
            kinds = [f"{a.dtype} {a.shape}" for a in (truth, result)]
            return f"{where} was {kinds[0]}, is {kinds[1]}"
        return f"{where} has {np.count_nonzero(truth != result)} other values"
    return f"{where} was {str(truth)[:80]!r}, is {str(result)[:80]!r}"


def mentions(lines: list[str], usual: list[str], names: tuple[str, ...]) -> str | None:
    """The first unusual line that holds one of the names."""
    known = set(usual)
    for line in lines:
        if line not in known and any(name in line for name in names):
            return line
    return None


def peak_megabytes() -> float:
    """The most memory that this process had since `forget_peak`."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def forget_peak() -> None:
    """Starts the measurement of `peak_megabytes` anew."""
    with contextlib.suppress(OSError):
        pathlib.Path("/proc/self/clear_refs").write_text("5")
