"""Small figures that a notebook shows of results, as uint8 RGB arrays `[height, width, 3]`."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from symmflow_jax.runs.pictures import grids
from symmflow_jax.runtime import files

UNSURE_COLOUR = (128, 128, 128)
"""Grey, for pixels that have no class."""

_SMALLEST, _LARGEST = 160, 512
_LINE, _BOX, _GAP = 16, 10, 14
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)


def row(captioned: Sequence[tuple[str, np.ndarray]]) -> np.ndarray:
    """Captioned images beside each other, each in a size that is easily seen."""
    return grids.beside([(caption, _scaled(image)) for caption, image in captioned])


def column(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures of any widths below each other; one white pixel for none."""
    if not pictures:
        return np.full((1, 1, 3), 255, np.uint8)
    width = max(picture.shape[1] for picture in pictures)
    padded = [
        np.pad(p, ((0, 0), (0, width - p.shape[1]), (0, 0)), constant_values=255) for p in pictures
    ]
    return np.concatenate(padded)


def with_legend(
    picture: np.ndarray, entries: Sequence[tuple[str, tuple[int, int, int]]]
) -> np.ndarray:
    """A picture with names and their colours below it, in as many lines as they need."""
    width = max(picture.shape[1], 2 * _SMALLEST)
    draw = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    places, left, line = [], 0, 0
    for text, _ in entries:
        needed = _BOX + 4 + round(draw.textlength(files.without_surrogates(text))) + _GAP
        if left and left + needed > width:
            left, line = 0, line + 1
        places.append((left, line * _LINE))
        left += needed
    canvas = Image.new("RGB", (width, (line + 1) * _LINE + 4), _WHITE)
    draw = ImageDraw.Draw(canvas)
    for (text, colour), (x, y) in zip(entries, places, strict=True):
        draw.rectangle((x + 2, y + 3, x + 2 + _BOX, y + 3 + _BOX), fill=colour, outline=_BLACK)
        draw.text((x + _BOX + 6, y + 2), files.without_surrogates(text), fill=_BLACK)
    return column([picture, np.asarray(canvas)])


def png(picture: np.ndarray) -> bytes:
    """The content of a PNG file."""
    content = io.BytesIO()
    Image.fromarray(picture).save(content, format="PNG")
    return content.getvalue()


def _scaled(image: np.ndarray) -> np.ndarray:
    """An image with a longer side within the bounds; small ones grow by whole factors."""
    longest = max(image.shape[:2])
    if longest < _SMALLEST:
        factor = -(-_SMALLEST // longest)
        return np.repeat(np.repeat(image, factor, axis=0), factor, axis=1)
    picture = Image.fromarray(image)
    picture.thumbnail((_LARGEST, _LARGEST))
    return np.asarray(picture)
