"""Paths as users write them: `~` and `$VARIABLES` stand for folders."""

import os
import pathlib
import re

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})", re.ASCII)


def expand(text: str, name: str) -> str:
    """A path with `~`, `~user`, `$VARIABLE` and `${VARIABLE}` expanded.

    Args:
        text: the path as given; empty stays empty.
        name: what the path is, for the message, such as "config.data.dir".

    Raises:
        ValueError: if a variable is not set, or if the home folder is not known.
    """

    def value(match: re.Match) -> str:
        variable = match[1] or match[2]
        if variable[0].isdigit():  # "$1" is no variable of the environment.
            return match[0]
        if variable not in os.environ:
            raise ValueError(
                f"{name} is {text!r}, but the environment variable {variable} is not set; set it, "
                "or write the path out."
            )
        return os.environ[variable]

    expanded = _VARIABLE.sub(value, text)
    if not expanded.startswith("~"):
        return expanded
    result = os.path.expanduser(expanded)
    if result.startswith("~"):
        user = expanded.split(os.sep, 1)[0]
        raise ValueError(
            f"{name} is {text!r}, but no home folder is known for {user}; set HOME or write the "
            f"path out (./{user} for a folder of that name)."
        )
    return result


def cache_folder() -> pathlib.Path:
    """The folder of what can be made again: `symmflow_jax` under `XDG_CACHE_HOME` or `~/.cache`.

    Raises:
        RuntimeError: if no home folder is known.
    """
    home = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return home / "symmflow_jax"
