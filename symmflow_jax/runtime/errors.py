"""Errors that several rooms raise, and words for their messages."""

import difflib
from collections.abc import Iterable


class CheckpointError(RuntimeError):
    """A checkpoint is missing, cannot be read or cannot be written."""


def first_line(error: BaseException) -> str:
    """The first line of an error's message, at most 300 characters."""
    text = str(error).strip()
    return text.splitlines()[0][:300] if text else repr(error)


def nearest(name: str, names: Iterable[str], what: str) -> str:
    """A sentence with the name that was probably meant, or with all of them.

    Args:
        name: what was given.
        names: what there is.
        what: what they are called, in the plural.
    """
    names = list(names)
    matches = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    return f"Did you mean {matches[0]!r}?" if matches else f"The {what} are {', '.join(names)}."
