"""The inputs of a command: image files of a folder, and those among them that cannot be read."""

import functools
import logging
import pathlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from PIL import Image

from symmflow_jax.data.decoding.image_files import SUFFIXES
from symmflow_jax.data.source import DataError
from symmflow_jax.inference.files.made import Made, made_of
from symmflow_jax.runtime.errors import shown

_logger = logging.getLogger(__name__)

_MOST_NAMES = 3
T = TypeVar("T")


def image_paths(
    path_name: str, reads: Made = Made.IMAGE, name: str = "--input"
) -> list[pathlib.Path]:
    """The path of an image file, or the paths of a folder's images, sorted by name.

    Passed over are hidden files, files that are no images, sub-folders, and pictures that this
    project made to show something else than `reads`. They are counted and named in the log.

    Args:
        path_name: the file or folder.
        reads: what the command reads, images or masks.
        name: what gives it, for messages.

    Raises:
        DataError: if there is no image.
    """
    path = pathlib.Path(path_name)
    if path_name and path.is_file():
        if _is_of_another_kind(path, reads):
            raise DataError(
                f"{name}={shown(path)} shows the {_made(path)} of an earlier command, and "
                f"this one reads {reads.value}s. Give the file that it was made of."
            )
        return [path]
    images, others = _sorted_out(path, reads, name) if path_name and path.is_dir() else ([], "")
    if not images:
        raise DataError(
            f"{name}='{shown(path_name)}' is no image and no folder with images "
            f"({', '.join(SUFFIXES)}).{f' It holds {others}.' if others else ''}"
        )
    passed = f"; passed over {others}" if others else ""
    plural = "s" if len(images) > 1 else ""
    _logger.info("Reading %d %s%s in %s%s.", len(images), reads.value, plural, shown(path), passed)
    return images


def _sorted_out(folder: pathlib.Path, reads: Made, name: str) -> tuple[list[pathlib.Path], str]:
    """The images of a folder, and a description of what else is in it."""
    images: list[pathlib.Path] = []
    others: dict[str, list[str]] = {}
    for path in sorted(_listed(folder, name)):
        what = _what_else(path, reads)
        if what:
            others.setdefault(what, []).append(path.name)
        else:
            images.append(path)
    return images, ", ".join(
        f"{what}: {len(names)} ({some_names(names)})" for what, names in others.items()
    )


def _what_else(path: pathlib.Path, reads: Made) -> str:
    """What a path is that is no input of a command; "" for an input."""
    if path.name.startswith("."):
        return "hidden files"
    if path.is_dir():
        return "sub-folders (give each as --input)"
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        if _is_of_another_kind(path, reads):
            return f"files that show the {_made(path)} of an earlier command"
        return ""
    if suffix in _known_to_pillow():
        return "pictures of other formats (convert them to PNG)"
    return "other files"


def _is_of_another_kind(path: pathlib.Path, reads: Made) -> bool:
    return made_of(path) not in (None, reads)


def _made(path: pathlib.Path) -> str:
    made = made_of(path)
    return made.value if made else ""


@functools.cache
def _known_to_pillow() -> frozenset[str]:
    """Suffixes of the formats that Pillow reads."""
    suffixes = Image.registered_extensions()
    return frozenset(suffix for suffix, name in suffixes.items() if name in Image.OPEN)


def _listed(folder: pathlib.Path, name: str) -> list[pathlib.Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise DataError(f"{name}={shown(folder)} cannot be read: {error.strerror}.") from error


def some_names(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = [f"and {len(names) - _MOST_NAMES} more"] if len(names) > _MOST_NAMES else []
    return ", ".join([shown(name) for name in names[:_MOST_NAMES]] + more)


class Unreadable:
    """Inputs that cannot be read: the others are still worked on, and these named at the end.

    Args:
        total: number of all inputs.
    """

    def __init__(self, total: int):
        self._total = total
        self._messages: list[str] = []

    def read(self, paths: Sequence[pathlib.Path], read: Callable[[pathlib.Path], T]) -> list[T]:
        """What a function reads in files; those for which it raises a ValueError are left out."""
        values = []
        for path in paths:
            try:
                values.append(read(path))
            except ValueError as error:
                self._messages.append(str(error))
                if self._total > 1:
                    _logger.warning("Left out: %s", error)
        return values

    def raise_if_any(self, output: pathlib.Path) -> None:
        """Raises a DataError if inputs could not be read; `output` is where the others' are."""
        if self._total == len(self._messages) == 1:
            raise DataError(self._messages[0])
        if self._messages:
            others = f" What was made of the others is in {shown(output)}."
            raise DataError(
                f"{len(self._messages)} of {self._total} inputs could not be read."
                f"{others if len(self._messages) < self._total else ''} The first: "
                f"{self._messages[0]}"
            )
