"""Fits: how a picture of any size comes into the one size that a model takes.

A run keeps its fit. Training, evaluation and inference bring pictures to the model's size by it,
so that a model always sees the geometry that it has learned.
"""

import dataclasses
import math
from typing import NamedTuple, Protocol

import numpy as np

Size = tuple[int, int]
"""Height and width in pixels."""


class Box(NamedTuple):
    """Position and size of a rectangle, in pixels."""

    top: int
    left: int
    height: int
    width: int

    @classmethod
    def whole(cls, size: Size) -> "Box":
        """The rectangle of a whole picture."""
        return cls(0, 0, *size)

    @property
    def bottom(self) -> int:
        """The row below the last one."""
        return self.top + self.height

    @property
    def right(self) -> int:
        """The column behind the last one."""
        return self.left + self.width

    @property
    def rows(self) -> slice:
        """The rows."""
        return slice(self.top, self.bottom)

    @property
    def columns(self) -> slice:
        """The columns."""
        return slice(self.left, self.right)

    @property
    def size(self) -> Size:
        """Height and width."""
        return self.height, self.width


class Placement(NamedTuple):
    """Where a picture lies in an array of another size.

    Attributes:
        source: the part of the picture that is kept.
        target: the part of the array that it fills, resized.
        size: height and width of the array.
    """

    source: Box
    target: Box
    size: Size

    @property
    def scale(self) -> float:
        """Pixels of the array for each pixel of the picture, the geometric mean of both axes."""
        down = self.target.height / self.source.height
        across = self.target.width / self.source.width
        return math.sqrt(down * across)


class Fit(Protocol):
    """A way of bringing pictures to one size; a frozen dataclass.

    Its text says how in a report; it is empty for a crop.

    Attributes:
        draws: True if a place or a scale is drawn for each training example in any case, and not
            only with `data.random_crop`.
        crops: True if parts of the picture may be left out.
        pads: True if parts of the array may show no picture.
    """

    draws: bool
    crops: bool
    pads: bool

    def place(self, shape: Size, size: Size, rng: np.random.Generator | None = None) -> Placement:
        """The placement of a picture.

        Args:
            shape: height and width of the picture.
            size: height and width of the array.
            rng: source of what is drawn; None for the same placement every time.
        """


@dataclasses.dataclass(frozen=True)
class Crop:
    """Keeps the largest part with the array's aspect ratio: the centre, or a random place."""

    draws = False
    crops = True
    pads = False

    def __str__(self) -> str:
        return ""

    def place(self, shape: Size, size: Size, rng: np.random.Generator | None = None) -> Placement:
        """See `Fit`; a crop of a narrow strip has at least one pixel, of another ratio."""
        height = min(shape[0], max(1, round(shape[1] * size[0] / size[1])))
        width = min(shape[1], max(1, round(shape[0] * size[1] / size[0])))
        return Placement(_within(shape, (height, width), rng), Box.whole(size), size)


@dataclasses.dataclass(frozen=True)
class Stretch:
    """Keeps the whole picture and fills the array, whatever the aspect ratios are."""

    draws = False
    crops = False
    pads = False

    def __str__(self) -> str:
        return "stretched"

    def place(self, shape: Size, size: Size, rng: np.random.Generator | None = None) -> Placement:
        """See `Fit`; nothing is drawn."""
        del rng
        return Placement(Box.whole(shape), Box.whole(size), size)


@dataclasses.dataclass(frozen=True)
class Letterbox:
    """Keeps the whole picture and its aspect ratio, in the middle of a grey array."""

    draws = False
    crops = False
    pads = True

    def __str__(self) -> str:
        return "letterboxed"

    def place(self, shape: Size, size: Size, rng: np.random.Generator | None = None) -> Placement:
        """See `Fit`; nothing is drawn."""
        del rng
        scale = min(size[0] / shape[0], size[1] / shape[1])
        height, width = (
            min(full, max(1, round(length * scale)))
            for length, full in zip(shape, size, strict=True)
        )
        return Placement(Box.whole(shape), _within(size, (height, width), None), size)


@dataclasses.dataclass(frozen=True)
class AtScale:
    """Cuts a part of the array's size out of the picture at its own scale, or about that.

    Where the picture would be smaller than the array, the scale is the least that covers it.

    Attributes:
        low, high: bounds of the pixels of the array for each pixel of the picture. Training draws
            a scale between them, uniform in its logarithm, and a place. Otherwise the scale is
            their geometric mean, at the centre.
    """

    low: float
    high: float

    draws = True
    crops = True
    pads = False

    def __str__(self) -> str:
        return f"at scale {self.scale:.3g}"

    @property
    def scale(self) -> float:
        """The geometric mean of the bounds: the scale that was learned."""
        return math.sqrt(self.low * self.high)

    def place(self, shape: Size, size: Size, rng: np.random.Generator | None = None) -> Placement:
        """See `Fit`."""
        scale = self.scale
        if rng is not None:
            scale = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        scale = max(scale, covering_scale(shape, size))
        height, width = (
            min(length, max(1, round(side / scale)))
            for length, side in zip(shape, size, strict=True)
        )
        return Placement(_within(shape, (height, width), rng), Box.whole(size), size)


CROP = Crop()


def covering_scale(shape: Size, size: Size) -> float:
    """The least scale at which a picture covers an array of a size."""
    return max(side / length for side, length in zip(size, shape, strict=True))


def _within(outer: Size, inner: Size, rng: np.random.Generator | None) -> Box:
    """A rectangle of a size within a larger one, at the centre or at a random place."""
    spare_rows, spare_columns = outer[0] - inner[0], outer[1] - inner[1]
    if rng is None:
        return Box(spare_rows // 2, spare_columns // 2, *inner)
    top, left = rng.integers(spare_rows + 1), rng.integers(spare_columns + 1)
    return Box(int(top), int(left), *inner)
