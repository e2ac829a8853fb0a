"""The JSON files of LabelMe: shapes with labels (github.com/wkentaro/labelme)."""

import base64
import binascii
import dataclasses
import io
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from symmflow_jax.data.annotations.annotation import check_size, read_json
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.errors import first_line, shown

_WHAT = "JSON file of LabelMe with shapes, imageHeight and imageWidth"
_LINE_WIDTH, _POINT_RADIUS = 10, 5  # Of lines and points, in pixels, as LabelMe draws them.
BACKGROUND_LABEL, IGNORE_LABEL = "_background_", "__ignore__"
"""Labels with a meaning of their own in LabelMe."""


@dataclasses.dataclass(frozen=True)
class LabelmeImage:
    """The shapes of one image, drawn by Pillow in the order of the file, as LabelMe draws them.

    Attributes:
        path: the JSON file.
        numbers: id of each label that is drawn.
        background: id of the pixels without a shape.
    """

    path: pathlib.Path
    numbers: Mapping[str, int]
    background: int

    def ids(self, size: tuple[int, int]) -> np.ndarray:
        """The ids of the pixels; see `Annotation`."""
        values = read_json(self.path, _WHAT)
        try:
            given = int(values["imageHeight"]), int(values["imageWidth"])
            check_size(self.path, str(values.get("imagePath", "its image")), given, size)
            canvas = Image.new("I", size[::-1], self.background)
            for number, shape in enumerate(values["shapes"]):
                if shape["label"] in self.numbers:
                    self._draw(canvas, shape, number)
        except DataError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise _broken(self.path, error) from error
        return np.asarray(canvas, np.int32)

    def _draw(self, canvas: Image.Image, shape: Mapping[str, Any], number: int) -> None:
        kind = shape.get("shape_type") or "polygon"
        where = f"{shown(self.path)}: shape {number} ({shown(str(shape['label']))})"
        points = [(float(x), float(y)) for x, y in shape["points"]]
        if kind not in _SHAPES:
            raise DataError(
                f"{where} is of the type {kind!r}; those that are drawn are "
                f"{', '.join(_SHAPES)}. Draw it as a polygon."
            )
        least, draw = _SHAPES[kind]
        if len(points) < least:
            raise DataError(f"{where} is a {kind} of {len(points)} points; it needs {least}.")
        draw(canvas, points, self.numbers[shape["label"]], shape)


def labels_of(path: pathlib.Path) -> list[str]:
    """The label of each shape of a file; raises DataError for a file of another kind."""
    try:
        return [str(shape["label"]) for shape in read_json(path, _WHAT)["shapes"]]
    except (KeyError, TypeError) as error:
        raise _broken(path, error) from error


def read_label_list(path: pathlib.Path) -> tuple[str, ...]:
    """The labels of a `labels.txt`, without LabelMe's own; raises DataError."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeError) as error:
        raise DataError(f"{shown(path)} cannot be read ({first_line(error)}).") from error
    names = [line.strip() for line in lines]
    return tuple(name for name in names if name not in ("", BACKGROUND_LABEL, IGNORE_LABEL))


def _broken(path: pathlib.Path, error: Exception) -> DataError:
    reason = f"{type(error).__name__}: {first_line(error)}"
    return DataError(f"{shown(path)} is no {_WHAT} ({reason}); save it again in LabelMe.")


_Points = Sequence[tuple[float, float]]


def _polygon(canvas: Image.Image, points: _Points, number: int, shape: Any) -> None:
    ImageDraw.Draw(canvas).polygon(points, outline=number, fill=number)


def _rectangle(canvas: Image.Image, points: _Points, number: int, shape: Any) -> None:
    (x0, y0), (x1, y1) = points[:2]
    corners = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    ImageDraw.Draw(canvas).rectangle(corners, outline=number, fill=number)


def _circle(canvas: Image.Image, points: _Points, number: int, shape: Any) -> None:
    (x, y), edge = points[:2]
    _disc(canvas, x, y, math.dist((x, y), edge), number)


def _line(canvas: Image.Image, points: _Points, number: int, shape: Any) -> None:
    ImageDraw.Draw(canvas).line(points, fill=number, width=_LINE_WIDTH)


def _point(canvas: Image.Image, points: _Points, number: int, shape: Any) -> None:
    _disc(canvas, *points[0], _POINT_RADIUS, number)


def _mask(canvas: Image.Image, points: _Points, number: int, shape: Any) -> None:
    """A picture of a region, whose first point is its upper left corner."""
    try:
        content = base64.b64decode(shape["mask"])
        region = Image.open(io.BytesIO(content), formats=("PNG",))
        covered = np.asarray(region.convert("L")) > 0
    except (binascii.Error, OSError) as error:
        raise ValueError(f"a mask is no PNG: {first_line(error)}") from error
    corner = (int(points[0][0]), int(points[0][1]))
    canvas.paste(number, corner, Image.fromarray(covered.astype(np.uint8) * 255))


def _disc(canvas: Image.Image, x: float, y: float, radius: float, number: int) -> None:
    box = (x - radius, y - radius, x + radius, y + radius)
    ImageDraw.Draw(canvas).ellipse(box, outline=number, fill=number)


_SHAPES = {
    "polygon": (3, _polygon),
    "oriented_rectangle": (4, _polygon),
    "rectangle": (2, _rectangle),
    "circle": (2, _circle),
    "line": (2, _line),
    "linestrip": (2, _line),
    "point": (1, _point),
    "mask": (1, _mask),
}
"""Least number of points of each type, and the function that draws it."""
