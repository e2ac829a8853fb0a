"""Image files: photos as RGB pixels, masks as exact ids."""

import pathlib
import struct

import numpy as np
from PIL import Image, ImageOps

from symmflow_jax.data.source import DataError
from symmflow_jax.semantics.palettes import Palette

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
"""Suffixes of image files; upper and lower case are equal."""

_ID_MODES = ("1", "L", "P", "I", "I;16", "I;16B")
# Errors of Pillow for files that are not images, truncated or damaged.
_PICTURE_ERRORS = (
    OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError
)  # fmt: skip


def open_image(path: str | pathlib.Path) -> Image.Image:
    """Decodes a file to an RGB Pillow image, rotated by its EXIF orientation.

    Grey, palette and CMYK images become RGB, 16 bits become 8 bits, and transparent pixels are
    composed over black. The result is a Pillow image and not an array, because it is cropped and
    resized later: a conversion to an array and back takes half as long as the decoding.

    Raises:
        DataError: if the file does not exist or cannot be decoded completely.
    """
    return _to_rgb(_open(path))


def read_image(path: str | pathlib.Path) -> np.ndarray:
    """Pixels of `open_image`, uint8 `[height, width, 3]`; raises DataError like `open_image`."""
    return np.asarray(open_image(path))


def read_mask(path: str | pathlib.Path) -> np.ndarray:
    """Reads the ids of a mask, `[height, width]`, rotated by its EXIF orientation.

    The file must have one channel: grey with 1, 8, 16 or 32 bits, or a palette. Ids of a palette
    file are the indices, not the colours.

    Returns:
        uint8 if the file has 8 bits, otherwise int32.

    Raises:
        DataError: if the file does not exist, cannot be decoded completely, has several
            channels or is a JPEG.
    """
    picture = _open(path)
    if picture.mode not in _ID_MODES:
        raise DataError(
            f"{path} is an image of mode {picture.mode}, not a mask of class ids. Save the id of "
            "each pixel in a PNG with one channel of 8 or 16 bits, or with a palette; or set "
            "config.data.class_colours to the colour of each class."
        )
    if pathlib.Path(path).suffix.lower() in (".jpg", ".jpeg"):
        raise DataError(f"{path} is a JPEG, whose compression changes ids. Save masks as PNG.")
    ids = np.asarray(picture)
    return ids if ids.dtype == np.uint8 else ids.astype(np.int32)


def read_coloured_mask(path: str | pathlib.Path, palette: Palette) -> np.ndarray:
    """Reads the ids of a mask in the colours of its classes, int32 `[height, width]`.

    Args:
        path: the file.
        palette: colour of each id, starting with id 0.

    Raises:
        DataError: if the file does not exist, cannot be decoded completely or has a colour
            that is not in the palette.
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
    """Packs colours, uint8 `[..., 3]`, into int32 `[...]` of the form 0xRRGGBB."""
    channels = pixels.astype(np.int32)
    return (channels[..., 0] << 16) | (channels[..., 1] << 8) | channels[..., 2]


def _open(path: str | pathlib.Path) -> Image.Image:
    """Decodes a file to a Pillow image in upright orientation."""
    try:
        with Image.open(path) as picture:
            picture.load()
            ImageOps.exif_transpose(picture, in_place=True)
            return picture
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist (any more).") from error
    except _PICTURE_ERRORS as error:
        raise DataError(
            f"{path} cannot be read as an image ({error}). Replace the file or remove it."
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
