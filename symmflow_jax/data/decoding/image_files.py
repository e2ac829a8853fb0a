"""Image files: their suffixes, and photos as RGB pixels."""

import pathlib

import numpy as np
from PIL import Image

from symmflow_jax.data.decoding.decoding import DEFAULT, Decoded, Decoding, decode
from symmflow_jax.data.source import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
"""Suffixes of image files; upper and lower case are equal."""


def open_image(path: str | pathlib.Path, decoding: Decoding = DEFAULT) -> Image.Image:
    """Decodes a file to an RGB Pillow image, rotated by its EXIF orientation.

    Grey, palette and CMYK images become RGB, 16 bits become 8 bits, and transparent pixels are
    composed over black. The result is a Pillow image and not an array, because it is cropped and
    resized later: a conversion to an array and back takes half as long as the decoding.

    Args:
        path: the file.
        decoding: limit of the size, and whether EXIF orientations count.

    Raises:
        DataError: if the file does not exist, cannot be decoded completely, is too large, has
            several pages, or has pixels of 32 bits, whose brightest value is unknown.
    """
    return to_rgb(decode(path, decoding), path)


def read_image(path: str | pathlib.Path, decoding: Decoding = DEFAULT) -> np.ndarray:
    """Pixels of `open_image`, uint8 `[height, width, 3]`; raises DataError like `open_image`."""
    return np.asarray(open_image(path, decoding))


def to_rgb(decoded: Decoded, path: str | pathlib.Path) -> Image.Image:
    """The picture in RGB, as of `open_image`; raises DataError for pixels of 32 bits."""
    picture, header = decoded
    # Pillow brings the 16 bits of a PGM to the full range of 16 bits in this mode.
    if header.mode == "F" or (header.mode == "I" and header.format != "PPM"):
        raise DataError(
            f"{path} has pixels of 32 bits (mode {header.mode}), whose brightest value is not "
            "known. Save it with 8 or 16 bits for each channel."
        )
    if picture.mode.startswith("I"):
        brightest = 4095 if header.storage == "I;12" else 65535
        levels = np.clip(np.asarray(picture).astype(np.float64), 0, brightest) * (255 / brightest)
        picture = Image.fromarray(np.rint(levels).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
        picture = Image.alpha_composite(black, picture)
    return picture if picture.mode == "RGB" else picture.convert("RGB")
