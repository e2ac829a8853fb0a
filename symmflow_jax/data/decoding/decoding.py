"""Decoding of image files within a limit of size, with or without their EXIF orientation."""

import dataclasses
import functools
import io
import math
import pathlib
from collections.abc import Callable
from typing import BinaryIO, NamedTuple

from PIL import Image, ImageOps, UnidentifiedImageError

from symmflow_jax.data.decoding.chunks import check_chunks
from symmflow_jax.data.decoding.header import (
    AS_STORED,
    QUARTER_TURNS,
    Header,
    is_lossy,
    orientation_of,
    storage_of,
)
from symmflow_jax.data.photos.format import PhotoFormat
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.errors import first_line

# Pillow's own bound is one for all pictures of a program; `Decoding` has one for each call.
Image.MAX_IMAGE_PIXELS = None

# Other formats of Pillow are no photos or masks, and it would run Ghostscript for one of them.
_FORMATS = ("PNG", "JPEG", "BMP", "DIB", "WEBP", "TIFF", "GIF", "PPM", "JPEG2000", "AVIF")

# Pillow turns a TIFF while it decodes; these bring its raw pixels back.
_INVERSE_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@dataclasses.dataclass(frozen=True)
class Decoding:
    """How image files are decoded.

    Attributes:
        max_megapixels: largest number of pixels of a file, in millions; larger ones are refused
            before they are decoded.
        applies_exif: True if pictures are turned by their EXIF orientation, False if they stay
            as their pixels are stored.
        photos: how images become signals that are no 8-bit pictures in grey or colour; None for
            those, which become RGB.
    """

    max_megapixels: float = 179.0
    applies_exif: bool = True
    photos: PhotoFormat | None = None


DEFAULT = Decoding()


class Decoded(NamedTuple):
    """A decoded picture, and what its file says about it."""

    picture: Image.Image
    header: Header


def decode(path: str | pathlib.Path, decoding: Decoding = DEFAULT) -> Decoded:
    """Decodes a file to a Pillow image of any mode.

    Raises:
        DataError: if the file does not exist, cannot be decoded completely, is too large, or has
            several pages or frames.
    """
    _check_plain(pathlib.Path(path))
    # Pillow would map a path to memory, and scramble an uncompressed TIFF of a quarter turn.
    return _decode(lambda: open(path, "rb"), path, decoding)


def decode_content(content: bytes, name: str | pathlib.Path, decoding: Decoding) -> Decoded:
    """Decodes the content of an image file like `decode`.

    Args:
        content: the bytes of the file.
        name: what the file is called in messages.
        decoding: limit of the size, and whether EXIF orientations count.

    Raises:
        DataError: as `decode`.
    """
    return _decode(lambda: io.BytesIO(content), name, decoding)


def _decode(
    open_file: Callable[[], BinaryIO], path: str | pathlib.Path, decoding: Decoding
) -> Decoded:
    try:
        with open_file() as file, Image.open(file, formats=_formats()) as picture:
            check_megapixels(path, picture.width, picture.height, decoding)
            _check_pages(path, picture)
            return _load(file, picture, decoding)
    except DataError:
        raise
    except UnidentifiedImageError as error:
        raise DataError(
            f"{path} cannot be read as an image (it is none of {', '.join(_formats())}). Replace "
            "the file or remove it."
        ) from error
    # Pillow's decoders meet damaged files with nearly every kind of error.
    except Exception as error:
        raise DataError(
            f"{path} cannot be read as an image ({first_line(error)}). Replace the file or remove "
            "it."
        ) from error


def _check_plain(path: pathlib.Path) -> None:
    """Raises DataError unless a path is a plain file; a pipe would be waited for."""
    if path.is_file():
        return
    if path.exists():
        raise DataError(f"{path} is no file, but a folder, a pipe or a device; remove it.")
    raise DataError(f"{path} does not exist (any more).")


@functools.cache
def _formats() -> tuple[str, ...]:
    """The formats that are read, of those that this Pillow knows."""
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def check_megapixels(path: str | pathlib.Path, width: int, height: int, decoding: Decoding) -> None:
    """Raises DataError for a picture that is larger than the limit."""
    megapixels = width * height / 1e6
    if megapixels > decoding.max_megapixels:
        raise DataError(
            f"{path} has {width}x{height} pixels ({megapixels:.1f} megapixels), "
            f"more than the limit of {decoding.max_megapixels:g}. Scale it down; for the files "
            f"of a data set, --config.data.max_megapixels={math.ceil(megapixels)} raises the limit."
        )


def _check_pages(path: str | pathlib.Path, picture: Image.Image) -> None:
    pages = getattr(picture, "n_frames", 1)
    # Cameras add a preview to a JPEG, which is then of the format MPO.
    if pages > 1 and picture.format != "MPO":
        raise DataError(
            f"{path} has {pages} pages or frames, of which only the first would be read. Save "
            "each in a file of its own."
        )


def _load(file: BinaryIO, picture: Image.Image, decoding: Decoding) -> Decoded:
    """Decodes the pixels of an open file and turns them."""
    kind, storage = picture.format or "", storage_of(picture)
    width, height = picture.size
    turned = kind == "TIFF"  # Pillow turns it, and gives its turned size.
    orientation = orientation_of(picture) if turned else AS_STORED
    if turned and orientation in QUARTER_TURNS:
        width, height = height, width
    picture.load()
    if not turned:
        orientation = orientation_of(picture)  # A PNG may have it after the pixels.
    if turned and not decoding.applies_exif and orientation in _INVERSE_TURNS:
        picture = picture.transpose(_INVERSE_TURNS[orientation])
    elif not turned and decoding.applies_exif:
        ImageOps.exif_transpose(picture, in_place=True)
    if kind == "PNG":
        check_chunks(file)
    lossy = is_lossy(file, picture, kind)
    return Decoded(picture, Header(kind, picture.mode, storage, width, height, orientation, lossy))
