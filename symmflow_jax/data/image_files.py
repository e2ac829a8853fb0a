"""Picture files: images as RGB pixels, masks as exact ids."""

import pathlib
import struct

import numpy as np
from PIL import Image, ImageOps

from symmflow_jax.data.source import DataError
from symmflow_jax.semantics.palettes import Palette

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
"""Endings of the files that count as pictures, in any case."""

_ID_MODES = ("1", "L", "P", "I", "I;16", "I;16B")
# What Pillow raises for files that are no pictures, end early or are broken inside.
_PICTURE_ERRORS = (
    OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError
)  # fmt: skip


def open_image(path: str | pathlib.Path) -> Image.Image:
    """The whole picture in memory as RGB, turned as its EXIF orientation says.

    Grey, palette and CMYK pictures become RGB, 16 bits become 8, and whatever is transparent
    is laid over black. What is going to be cropped and resized stays a picture until then:
    an array of all its pixels, and the way back, take as long as half of its decoding.

    Raises:
        DataError: if the file cannot be read to its end.
    """
    return _to_rgb(_open(path))


def read_image(path: str | pathlib.Path) -> np.ndarray:
    """The pixels of `open_image`, uint8 `[height, width, 3]`; raises DataError as it does."""
    return np.asarray(open_image(path))


def read_mask(path: str | pathlib.Path) -> np.ndarray:
    """The ids of a mask, `[height, width]`, turned as its EXIF orientation says.

    The file must have one channel: grey of 1, 8 or 16 bits, or a palette, whose indices count
    and not its colours.

    Returns:
        uint8 where the file has 8 bits, otherwise int32.

    Raises:
        DataError: if the file cannot be read to its end, or holds no exact ids.
    """
    picture = _open(path)
    if picture.mode not in _ID_MODES:
        raise DataError(
            f"{path} is a picture of mode {picture.mode}, not a mask of class ids. Save the id of "
            "each pixel in a PNG with one channel of 8 or 16 bits, or with a palette; or set "
            "config.data.class_colours to the colour of each class."
        )
    if pathlib.Path(path).suffix.lower() in (".jpg", ".jpeg"):
        raise DataError(f"{path} is a JPEG, whose compression changes ids. Save masks as PNG.")
    ids = np.asarray(picture)
    return ids if ids.dtype == np.uint8 else ids.astype(np.int32)


def read_coloured_mask(path: str | pathlib.Path, palette: Palette) -> np.ndarray:
    """The ids of a mask that is a picture in the colours of its classes, int32 `[height, width]`.

    Args:
        path: the file.
        palette: colour of each id, from 0 on.

    Raises:
        DataError: if the file cannot be read to its end, or has other colours.
    """
    pixels = pack_colours(read_image(path))
    colours = pack_colours(np.asarray(palette, np.uint8))
    order = np.argsort(colours)
    places = np.searchsorted(colours, pixels, sorter=order).clip(max=len(colours) - 1)
    ids = order[places]
    unknown = np.unique(pixels[colours[ids] != pixels])
    if len(unknown):
        raise DataError(
            f"{path} has the colour #{unknown[0]:06x} ({len(unknown)} in all) that is none of "
            "config.data.class_colours; add it, or save the mask without smoothing, as PNG."
        )
    return ids.astype(np.int32)


def pack_colours(pixels: np.ndarray) -> np.ndarray:
    """int32 `[...]` of the form 0xRRGGBB for uint8 `[..., 3]`."""
    channels = pixels.astype(np.int32)
    return (channels[..., 0] << 16) | (channels[..., 1] << 8) | channels[..., 2]


def _open(path: str | pathlib.Path) -> Image.Image:
    """The whole picture in memory, upright."""
    try:
        with Image.open(path) as picture:
            picture.load()
            ImageOps.exif_transpose(picture, in_place=True)
            return picture
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist (any more).") from error
    except _PICTURE_ERRORS as error:
        raise DataError(
            f"{path} cannot be read as a picture ({error}). Replace the file or remove it."
        ) from error


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):
        levels = np.clip(np.asarray(picture).astype(np.float64), 0, 65535) / 257
        picture = Image.fromarray(np.rint(levels).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
        picture = Image.alpha_composite(black, picture)
    return picture if picture.mode == "RGB" else picture.convert("RGB")
