"""Examples as the files of a source hold them, to be packed without a change of any pixel."""

import dataclasses
import pathlib

import numpy as np

from symmflow_jax.data.decoding.header import AS_STORED
from symmflow_jax.data.source import DataError, Source


@dataclasses.dataclass(frozen=True)
class Stored:
    """An example as its files hold it.

    Attributes:
        name: file of the image, or another name of the example.
        image: content of an image file; or pixels, uint8 `[height, width, 1 or 3]`; or a point,
            float32 `[n]`.
        mask: the classes, integers `[height, width]`, not turned by EXIF; None without a mask.
        orientation: the EXIF orientation of the mask, 1 to 8; 1 if there is none.
        label: the class of the whole image; None without a label.
    """

    name: str | pathlib.Path
    image: bytes | np.ndarray
    mask: np.ndarray | None = None
    orientation: int = AS_STORED
    label: int | None = None


def stored_example(source: Source, index: int) -> Stored:
    """An example as the files of a source hold it.

    A source of image files tells it itself by a method `stored`, so that the bytes of its files
    are kept. Of other sources the arrays of an element are taken.

    Raises:
        DataError: if the example cannot be read, or cannot be packed.
    """
    if hasattr(source, "stored"):
        return source.stored(index)
    element = source[index]
    image, label = element["image"], element.get("label")
    if not isinstance(image, np.ndarray):
        raise DataError(
            f"Example {index} has an image of type {type(image).__name__}, which cannot be packed; "
            f"give {type(source).__name__} a method `stored` that returns a `Stored`."
        )
    return Stored(
        name=str(index),
        image=image,
        mask=element.get("mask"),
        label=None if label is None else int(label),
    )


def content_of(path: pathlib.Path) -> bytes:
    """The bytes of a file; raises DataError if the file system refuses."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
