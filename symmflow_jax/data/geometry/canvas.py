"""Canvases: a picture of any size as a network of one size reads it, in one or several windows."""

import dataclasses
import math
from collections.abc import Callable

from symmflow_jax.data.geometry.fit import Box, Letterbox, Placement, Size, Stretch, covering_scale

WHOLE_MULTIPLE = 64
"""Sides of a canvas that is read in one pass are multiples of this, so that few sizes occur."""

MOST_PIXELS = 2**28
"""Pixels of the largest canvas, about 800 MB of colour."""


@dataclasses.dataclass(frozen=True)
class Canvas:
    """A picture at one scale, and the size of the windows over it.

    Attributes:
        placement: where the picture lies on the canvas.
        window: height and width of a window; that of the canvas if one window shows all.
        mirrors: True if the canvas goes on with the picture's mirror image beyond its edges, False
            if it is grey there.
    """

    placement: Placement
    window: Size
    mirrors: bool = False

    @property
    def size(self) -> Size:
        """Height and width."""
        return self.placement.size


Layout = Callable[[Size, Size, float], Canvas]
"""`layout(shape, window, scale)`: the canvas of a picture of a shape, for a model's window."""


def stretched(shape: Size, window: Size, scale: float) -> Canvas:
    """The whole picture in one window, whatever its aspect ratio; there is no other scale."""
    del scale
    return Canvas(Stretch().place(shape, window), window)


def letterboxed(shape: Size, window: Size, scale: float) -> Canvas:
    """The whole picture in one window, with its aspect ratio; there is no other scale."""
    del scale
    return Canvas(Letterbox().place(shape, window), window)


def covered(shape: Size, window: Size, scale: float) -> Canvas:
    """The picture as large as a crop of it is in training; windows move along its longer side.

    Args:
        shape: height and width of the picture.
        window: height and width of a window.
        scale: factor of that size.
    """
    return tiled(shape, window, scale * covering_scale(shape, window))


def tiled(shape: Size, window: Size, scale: float) -> Canvas:
    """The picture at a scale, in windows; at least as large as a window.

    Args:
        shape: height and width of the picture.
        window: height and width of a window.
        scale: pixels of the canvas for each pixel of the picture.

    Raises:
        ValueError: if the canvas would have too many pixels.
    """
    size = _scaled(shape, window, scale)
    return Canvas(Placement(Box.whole(shape), Box.whole(size), size), window)


def whole(shape: Size, window: Size, scale: float) -> Canvas:
    """The picture at a scale, in one window of its size; arguments and errors as `tiled`."""
    content = _scaled(shape, window, scale)
    height, width = (math.ceil(side / WHOLE_MULTIPLE) * WHOLE_MULTIPLE for side in content)
    size = (height, width)
    return Canvas(Placement(Box.whole(shape), Box.whole(content), size), size, mirrors=True)


def _scaled(shape: Size, window: Size, scale: float) -> Size:
    scale = max(scale, covering_scale(shape, window))
    height, width = (
        max(side, round(length * scale)) for length, side in zip(shape, window, strict=True)
    )
    if height * width > MOST_PIXELS:
        raise ValueError(
            f"An image of {shape[1]}x{shape[0]} pixels becomes one of {width}x{height} at the "
            f"scale {scale:g}, more than {MOST_PIXELS / 1e6:.0f} megapixels; give a smaller scale, "
            "or the fit 'stretch', which takes any shape."
        )
    return height, width


@dataclasses.dataclass(frozen=True)
class View:
    """How a model reads pictures of any size.

    Attributes:
        name: name of the layout, in reports.
        layout: the canvas of a picture.
        overlap: share of a window that the next one covers, in [0, 0.9].
        flips: whether each window's mirror image is read too, and the answers averaged.
        scale: pixels of the canvas for each pixel of a picture, or a factor of the layout's own.
        scales: factors of the scale at which a picture is read; the answers are averaged.
    """

    name: str
    layout: Layout
    overlap: float = 0.5
    flips: bool = False
    scale: float = 1.0
    scales: tuple[float, ...] = (1.0,)

    def canvases(self, shape: Size, window: Size) -> tuple[Canvas, ...]:
        """The canvases of a picture, one for each of `scales`.

        Args:
            shape: height and width of the picture.
            window: height and width of the model's images.

        Raises:
            ValueError: if the picture has no pixels, or a canvas would have too many.
        """
        if min(shape) < 1:
            raise ValueError(f"An image of {shape[1]}x{shape[0]} pixels has nothing to read.")
        return tuple(self.layout(shape, window, self.scale * factor) for factor in self.scales)

    def __str__(self) -> str:
        """A short description for reports."""
        parts = [self.name, f"overlap {self.overlap:g}", f"scale {self.scale:g}"]
        if self.scales != (1.0,):
            parts.append("times " + ", ".join(f"{factor:g}" for factor in self.scales))
        if self.flips:
            parts.append("and mirrored")
        return ", ".join(parts)
