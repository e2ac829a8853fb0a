"""Scripts that run an export without this package; an export has a copy of its own."""

import pathlib


def source(name: str) -> bytes:
    """The text of a script of this folder, in UTF-8."""
    return (pathlib.Path(__file__).parent / name).read_bytes()
