"""Notes on labels and files that are not read."""

import pathlib
from collections.abc import Iterable, Mapping

from symmflow_jax.data.folders.listing import counted, shorten
from symmflow_jax.runtime.errors import shown


def unread(known: Mapping[int, str], drawn: Iterable[int], where: pathlib.Path) -> list[str]:
    """A note on labels that are in no class."""
    names = [name for number, name in sorted(known.items()) if number not in set(drawn)]
    if not names:
        return []
    return [
        f"{shown(where)}: read as background, because config.data.class_names leaves them out: "
        f"{counted(len(names), 'label')}, {shorten(map(shown, names))}."
    ]


def unused(number: int, noun: str, where: pathlib.Path, why: str) -> list[str]:
    """A note on what is there and not used."""
    return [f"{shown(where)}: not used: {counted(number, noun)} {why}."] if number else []


def bare(number: int, images: pathlib.Path, what: str) -> list[str]:
    """A note on images that are all background."""
    verb = "is" if number == 1 else "are"
    text = f"{shown(images)}: {counted(number, 'image')} without a {what} {verb} all background."
    return [text] if number else []
