"""Errors that several packages raise, and text for error messages."""

import difflib
import errno
import os
from collections.abc import Iterable

# The refusals of a file system, as libraries such as TensorStore spell them in longer messages.
_REFUSALS = [
    os.strerror(number)
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO)
]


class CheckpointError(RuntimeError):
    """A checkpoint is missing, cannot be read or cannot be written."""


def first_line(error: BaseException) -> str:
    """The first line of an error message, at most 300 characters; `repr` if it is empty."""
    try:
        text = str(error).strip() or repr(error)
    except Exception:  # Of a damaged file, even the message may be no text.
        return type(error).__name__
    return shown_part(text.splitlines()[0])


def refusal(error: BaseException) -> str:
    """What a file system refuses, or else the first line of an error."""
    text = str(error)
    return next((refused for refused in _REFUSALS if refused in text), first_line(error))


def shown(text: object) -> str:
    """A text or path for a message of one line.

    Bytes that are not UTF-8 and control signs are escaped.
    """
    text = str(text)
    if text.isprintable():
        return text
    try:
        return "".join(sign if sign.isprintable() else _escaped(sign) for sign in text)
    except (SystemError, ValueError):  # NumPy reads any number of a damaged file as a letter.
        return "(a text that cannot be shown)"


def shown_part(text: str) -> str:
    """The first 300 characters of a text from a file, which may be of any length; see `shown`."""
    return shown(text[:_MOST_LETTERS])


def _escaped(sign: str) -> str:
    """A sign as an escape; a surrogate that stands for a byte of no text is that byte."""
    byte = ord(sign) - 0xDC00
    return f"\\x{byte:02x}" if 0x80 <= byte < 0x100 else sign.encode("unicode_escape").decode()


def shown_value(value: object) -> str:
    """The `repr` of any value for a message, at most 300 characters."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # An int of thousands of digits, or deep nesting.
        return f"a value of type {type(value).__name__} that is too long to be shown"
    return text if len(text) <= _MOST_LETTERS else f"{text[:_MOST_LETTERS]} ..."


_MOST_LETTERS = 300


def of_file_system(error: OSError) -> str:
    """One line for an error of the file system that nothing else has explained."""
    place = f"{error.filename}: " if error.filename else ""
    return (
        f"{place}{error.strerror or first_line(error)}. Check that the place exists, has space and "
        "may be used, or give another one."
    )


def nearest(name: str, names: Iterable[str], what: str) -> str:
    """A sentence that suggests the most similar name, or lists all names.

    Args:
        name: the unknown name.
        names: the known names.
        what: plural noun for the names, such as "keys".
    """
    names = list(names)
    matches = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    return f"Did you mean {matches[0]!r}?" if matches else f"The {what} are {', '.join(names)}."
