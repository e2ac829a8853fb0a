"""An image as it is read: a picture in RGB, or a signal of any number of channels."""

import pathlib
from typing import NamedTuple

import numpy as np
from PIL import Image

from symmflow_jax.data.decoding.decoding import Decoding, decode, decode_content
from symmflow_jax.data.decoding.header import Header
from symmflow_jax.data.decoding.image_files import to_rgb
from symmflow_jax.data.packed.stored import content_of
from symmflow_jax.data.photos.arrays import read_raster
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.errors import first_line


class Photo(NamedTuple):
    """An image, and what its file says about it.

    Attributes:
        image: an RGB Pillow image; or a signal, float32 `[height, width, channels]` in [-1, 1], if
            `Decoding.photos` says so.
        header: what the file says.
    """

    image: Image.Image | np.ndarray
    header: Header

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        if isinstance(self.image, Image.Image):
            return self.image.height, self.image.width
        return self.image.shape[0], self.image.shape[1]


def read_photo(path: pathlib.Path, decoding: Decoding) -> Photo:
    """Reads an image file; raises DataError as `decode` does."""
    if decoding.photos is None:
        decoded = decode(path, decoding)
        return Photo(to_rgb(decoded, path), decoded.header)
    if not path.is_file():
        raise DataError(f"{path} does not exist (any more), or is no file.")
    return read_photo_content(content_of(path), path, decoding)


def read_photo_content(content: bytes, name: str | pathlib.Path, decoding: Decoding) -> Photo:
    """The image in the bytes of a file; `name` is what messages call it."""
    if decoding.photos is None:
        decoded = decode_content(content, name, decoding)
        return Photo(to_rgb(decoded, name), decoded.header)
    raster = read_raster(content, name, decoding)
    try:
        signal = decoding.photos.to_signal(raster.values, raster.own_range, str(name))
    except (ValueError, MemoryError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name} cannot be read as an image ({first_line(error)}).") from error
    return Photo(signal, raster.header)
