"""Picture files that this project makes, marked with what they show.

The mark is a text chunk of the PNG, so it stays with a file that is renamed or moved. By it a
command tells photos from what an earlier command made of them.
"""

import enum
import io
import pathlib
import warnings

import numpy as np
from PIL import Image, PngImagePlugin

from symmflow_jax.runtime import outputs

_KEY = "symmflow_jax"


class Made(enum.Enum):
    """What a picture shows."""

    IMAGE = "image"
    MASK = "mask"
    OVERLAY = "overlay"
    ENTROPY = "entropy"


def write_picture(path: pathlib.Path, pixels: np.ndarray, made: Made) -> None:
    """Writes a marked PNG, whole or not at all, and makes its folder.

    Args:
        path: the file.
        pixels: uint8 `[height, width]`, `[height, width, 1 or 3]`, or uint16 `[height, width]`.
        made: what it shows.

    Raises:
        OutputError: if the file system refuses.
    """
    content = picture_content(pixels, made)
    with outputs.writing(path) as file:
        file.write(content)


def picture_content(pixels: np.ndarray, made: Made) -> bytes:
    """The content of the file of `write_picture`."""
    mark = PngImagePlugin.PngInfo()
    mark.add_text(_KEY, made.value)
    pixels = pixels[..., 0] if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", pnginfo=mark)
    return buffer.getvalue()


def write_ids(path: pathlib.Path, ids: np.ndarray, made: Made) -> None:
    """Writes int ids `[height, width]` as a PNG of 8 bits, or of 16 bits if an id needs them.

    Raises:
        OutputError: if the file system refuses.
    """
    dtype = np.uint8 if ids.max(initial=0) < 256 else np.uint16
    write_picture(path, ids.astype(dtype), made)


def made_of(path: pathlib.Path) -> Made | None:
    """What a file of `write_picture` shows; None for another file, also one that is damaged."""
    if path.suffix.lower() != ".png" or not path.is_file():
        return None
    try:
        # Whether a picture is too large is for those to say who read it.
        with warnings.catch_warnings(action="ignore"):
            picture = Image.open(path, formats=("PNG",))
        with picture:
            return Made(picture.info.get(_KEY))
    except Exception:  # Pillow has many errors for what is no picture.
        return None
