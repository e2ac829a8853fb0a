"""The annotation of one image: regions with labels that become a mask of ids."""

import json
import pathlib
from typing import Any, Protocol

import numpy as np

from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.errors import first_line, shown


class Annotation(Protocol):
    """The annotation of one image; picklable."""

    @property
    def path(self) -> pathlib.Path:
        """The file that holds it, perhaps with those of other images."""

    def ids(self, size: tuple[int, int]) -> np.ndarray:
        """The ids of the pixels of an image of a height and width, int32 `[height, width]`.

        Raises:
            DataError: if the annotation is of an image of another size, or cannot be drawn.
        """


def check_size(
    path: pathlib.Path, image: str, given: tuple[int, int], size: tuple[int, int]
) -> None:
    """Raises DataError if an annotation is of an image of another size.

    Args:
        path: file of the annotation.
        image: name of the image.
        given: height and width in the annotation.
        size: height and width of the image as it was read.
    """
    if given == size:
        return
    start = (
        f"{path} is for {shown(image)} of {given[1]}x{given[0]} (width x height), but the image "
        f"has {size[1]}x{size[0]} pixels"
    )
    if given == size[::-1]:
        raise DataError(
            f"{start}: its EXIF orientation may turn it. Set --config.data.exif to the other of "
            "'apply' and 'ignore' if the regions were drawn so."
        )
    raise DataError(f"{start}. Scale the annotation, or give the image that it was drawn on.")


def read_json(path: pathlib.Path, what: str) -> Any:
    """The values of a JSON file.

    Args:
        path: the file.
        what: what it should be, for messages, such as "a JSON file of LabelMe".

    Raises:
        DataError: if it cannot be read, or is no dictionary.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(f"{shown(path)} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{shown(path)} is no {what} ({first_line(error)}); export it again."
        ) from error
    if not isinstance(values, dict):
        raise DataError(f"{shown(path)} is no {what}: it holds no dictionary; export it again.")
    return values
