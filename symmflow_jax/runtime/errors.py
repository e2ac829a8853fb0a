"""Errors that several packages raise, and text for error messages."""

import difflib
from collections.abc import Iterable


class CheckpointError(RuntimeError):
    """A checkpoint is missing, cannot be read or cannot be written."""


def first_line(error: BaseException) -> str:
    """The first line of an error message, at most 300 characters; `repr` if it is empty."""
    text = str(error).strip()
    return text.splitlines()[0][:300] if text else repr(error)


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
