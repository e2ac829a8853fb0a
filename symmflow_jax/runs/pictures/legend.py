"""The legend of masks: the id, name and colour of each class as a picture."""

import functools
import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from symmflow_jax.runtime import files
from symmflow_jax.semantics.labels import LabelSchema

LEGEND = "classes.png"
"""Name of the legend's file, in the folder of a run, of a report and of a check of data."""

MOST_ROWS = 32
"""Rows of a column; more classes go on in the next one."""

_ROW, _MARGIN, _SWATCH, _GAP = 22, 8, 34, 8
_LETTERS = 14
_LONGEST_NAME = 40
_WHITE, _BLACK, _LINE = (255, 255, 255), (0, 0, 0), (120, 120, 120)


def legend(schema: LabelSchema) -> np.ndarray:
    """Draws a row for each class: its colour, its ids in the files, and its name.

    Args:
        schema: the classes.

    Returns:
        uint8 `[height, width, 3]`.
    """
    ids, names = _ids(schema), _names(schema)
    font = _font()
    id_width = max(_width(font, text) for text in ids)
    name_width = max(_width(font, text) for text in names)
    column = _SWATCH + id_width + name_width + 3 * _GAP
    num_columns = -(-schema.num_classes // MOST_ROWS)
    num_rows = min(schema.num_classes, MOST_ROWS)
    size = 2 * _MARGIN + num_columns * column, 2 * _MARGIN + num_rows * _ROW
    canvas = Image.new("RGB", size, _WHITE)
    draw = ImageDraw.Draw(canvas)
    for number in range(schema.num_classes):
        left = _MARGIN + (number // MOST_ROWS) * column
        top = _MARGIN + (number % MOST_ROWS) * _ROW
        swatch = left, top + 2, left + _SWATCH, top + _ROW - 3
        draw.rectangle(swatch, fill=schema.palette[number], outline=_LINE)
        right_of_id, middle = left + _SWATCH + _GAP + id_width, top + _ROW // 2
        draw.text((right_of_id, middle), ids[number], _BLACK, font, anchor="rm")
        draw.text((right_of_id + _GAP, middle), names[number], _BLACK, font, anchor="lm")
    return np.asarray(canvas)


def _ids(schema: LabelSchema) -> list[str]:
    """The ids of each class in the files: its own, and how many more are merged into it."""
    merged = [number for _, number in schema.merged_ids]
    counts = [merged.count(number) for number in range(schema.num_classes)]
    return [
        f"{raw_id} (+{count})" if count else f"{raw_id}"
        for raw_id, count in zip(schema.raw_ids, counts, strict=True)
    ]


def _names(schema: LabelSchema) -> list[str]:
    names = [files.without_surrogates(name) for name in schema.names]
    cut = [name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..." for name in names]
    return [f"{name} (ignored)" if i in schema.ignored else name for i, name in enumerate(cut)]


def _width(font: ImageFont.FreeTypeFont, text: str) -> int:
    return int(np.ceil(font.getlength(text)))


@functools.cache
def _font() -> ImageFont.FreeTypeFont:
    """The font of Matplotlib, which has letters of more languages than that of Pillow."""
    import matplotlib

    place = pathlib.Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    return ImageFont.truetype(str(place), _LETTERS)
