"""Answers of windows, blended over a picture of any size within bounded memory.

Probabilities are averaged, and interpolated where the picture is larger than the canvas. Codes of
classes cannot be averaged, because the mean of two is that of a third one: windows vote instead.

A layer holds the weighted sums of one canvas, and of that only the rows that later windows may
still change, or that the picture's next rows are made of. Answers leave in bands.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from symmflow_jax.data.geometry.canvas import Canvas
from symmflow_jax.data.geometry.fit import Size
from symmflow_jax.data.transforms import nearest_pixels
from symmflow_jax.flow import windows

_BAND_BYTES = 2**25
"""Bytes of the classes of a band of the picture's rows."""


class Answers(NamedTuple):
    """What is said of each pixel of a picture, or of a band of its rows.

    Attributes:
        labels: int32 `[height, width]`.
        confidence: float32 `[height, width]` in [0, 1].
        entropy: float32 `[height, width]`, in nats.
        probabilities: float32 `[height, width, classes]`; None for votes.
    """

    labels: np.ndarray
    confidence: np.ndarray
    entropy: np.ndarray
    probabilities: np.ndarray | None


def of_probabilities(values: np.ndarray) -> Answers:
    """The answers of blended probabilities, float32 `[height, width, classes]`."""
    labels = np.argmax(values, axis=-1).astype(np.int32)
    confidence = np.take_along_axis(values, labels[..., None], axis=-1)[..., 0]
    return Answers(labels, confidence, _entropy(values), values)


def of_votes(values: np.ndarray) -> Answers:
    """The answers of blended votes.

    Args:
        values: float32 `[height, width, 2 * classes]`: each class's share of the votes, and after
            them the confidence of those windows whose answer is the class. An equal number of
            votes goes to the class of more confidence.
    """
    shares, confidences = np.split(values, 2, axis=-1)
    labels = np.argmax(shares + _TIE * confidences, axis=-1).astype(np.int32)
    confidence = np.take_along_axis(confidences, labels[..., None], axis=-1)[..., 0]
    return Answers(labels, confidence, _entropy(shares), None)


_TIE = 1e-4


def _entropy(shares: np.ndarray) -> np.ndarray:
    positive = np.maximum(shares, np.finfo(np.float32).tiny)
    # A sum of zeros is 0, and not -0, if all agree.
    return np.maximum(-np.sum(shares * np.log(positive), axis=-1), 0.0).astype(np.float32)


class Layer:
    """Blended values of the windows of one canvas.

    Windows are numbered row by row, and added in this order.

    Args:
        canvas: the canvas.
        overlap: share of a window that the next one covers.
        num_values: values of each pixel.
        shape: height and width of the picture.
        passes: how often each window is added, with equal weights.
        smooth: whether values between the pixels of the canvas are interpolated; otherwise they
            are those of the nearest pixel.
    """

    def __init__(
        self,
        canvas: Canvas,
        overlap: float,
        num_values: int,
        shape: Size,
        passes: int,
        smooth: bool,
    ):
        self.canvas, self._shape, self._passes = canvas, shape, passes
        sides = list(zip(canvas.size, canvas.window, strict=True))
        self._starts = [windows.starts(*side, overlap) for side in sides]
        self._weights = [windows.weights(*side, overlap) for side in sides]
        self._weights[0] /= passes
        self._values = np.zeros((0, canvas.size[1], num_values), np.float32)
        self._first = 0  # Row of the canvas that is the first one of the values.
        self._added = 0
        target = canvas.placement.target
        neighbours = _neighbours if smooth else _nearest
        self._rows = neighbours(shape[0], target.height, target.top)
        self._columns = neighbours(shape[1], target.width, target.left)

    @property
    def corners(self) -> list[tuple[int, int]]:
        """Top and left of each window."""
        rows, columns = self._starts
        return [(row, column) for row in rows for column in columns]

    def add_probabilities(self, number: int, probabilities: np.ndarray) -> None:
        """Adds a window's probabilities, float `[*window, classes]`."""
        band, weight = self._open(number)
        band += weight[..., None] * probabilities

    def add_votes(
        self, number: int, votes: np.ndarray, label: np.ndarray, sure: np.ndarray
    ) -> None:
        """Adds a window's votes.

        Args:
            number: number of the window.
            votes: int `[draws, *window]`.
            label: int `[*window]`, their winner.
            sure: float `[*window]`, the confidence in it.
        """
        band, weight = self._open(number)
        rows, columns = np.ogrid[: label.shape[0], : label.shape[1]]
        for vote in votes:
            band[rows, columns, vote] += weight / np.float32(len(votes))
        band[rows, columns, label + band.shape[-1] // 2] += weight * sure

    def _open(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """The values under a window, to be changed, and its weights."""
        down, across = self._weights
        row, column = divmod(number, len(across))
        top, left = self._starts[0][row], self._starts[1][column]
        height, width = self.canvas.window
        missing = top + height - (self._first + len(self._values))
        if missing > 0:
            more = np.zeros((missing, *self._values.shape[1:]), np.float32)
            self._values = np.concatenate([self._values, more])
        self._added += 1
        start = top - self._first
        band = self._values[start : start + height, left : left + width]
        return band, down[row][:, None] * across[column]

    @property
    def ready(self) -> int:
        """The picture's rows, from the first one, that no later window changes."""
        row, columns = self._added // self._passes // len(self._starts[1]), self._starts[0]
        if row == len(columns):
            return self._shape[0]
        return int(np.searchsorted(self._rows.second, columns[row]))

    def read(self, first: int, stop: int) -> np.ndarray:
        """Values of rows of the picture, float32 `[stop - first, width, values]`, interpolated."""
        rows = _Neighbours(*(part[first:stop] for part in self._rows))
        band = _between(self._values, rows, -self._first, axis=0)
        return _between(band, self._columns, 0, axis=1)

    def forget(self, first: int) -> None:
        """Forgets what only rows of the picture before `first` need."""
        done = self._rows.first[first] if first < self._shape[0] else self.canvas.size[0]
        # Later windows still add to the rows from the one on with which they begin.
        row = min(self._added // self._passes // len(self._starts[1]), len(self._starts[0]) - 1)
        keep = min(int(done), self._starts[0][row]) - self._first
        if keep > 0:
            self._values, self._first = self._values[keep:].copy(), self._first + keep


class _Neighbours(NamedTuple):
    """The two pixels of a canvas next to each pixel of a picture, and the share of the second."""

    first: np.ndarray
    second: np.ndarray
    share: np.ndarray


def _neighbours(length: int, on_canvas: int, offset: int) -> _Neighbours:
    """The neighbours along an axis of `length` pixels that lies on a canvas."""
    place = (np.arange(length) + 0.5) * (on_canvas / length) - 0.5
    place = np.clip(place, 0, on_canvas - 1)
    first = np.floor(place).astype(np.intp)
    second = np.minimum(first + 1, on_canvas - 1)
    share = (place - first).astype(np.float32)
    second = np.where(share > 0, second, first)
    return _Neighbours(first + offset, second + offset, share)


def _nearest(length: int, on_canvas: int, offset: int) -> _Neighbours:
    """The same with all of the share for the nearest pixel."""
    place = nearest_pixels(on_canvas, length) + offset
    return _Neighbours(place, place, np.zeros(length, np.float32))


def _between(values: np.ndarray, places: _Neighbours, shift: int, axis: int) -> np.ndarray:
    """Values interpolated along an axis."""
    first = np.take(values, places.first + shift, axis)
    if not places.share.any():
        return first
    second = np.take(values, places.second + shift, axis)
    shape = [1] * values.ndim
    shape[axis] = -1
    share = places.share.reshape(shape)
    return first * (1.0 - share) + second * share


class Blend:
    """The answers of a picture from those of its windows.

    Args:
        canvases: the picture at each scale.
        overlap: share of a window that the next one covers.
        shape: height and width of the picture.
        num_classes: number of classes.
        votes: whether windows vote for classes; otherwise they give probabilities.
        passes: how often each window is added.
        keeps_probabilities: whether probabilities are kept; not with votes.
    """

    def __init__(
        self,
        canvases: Sequence[Canvas],
        overlap: float,
        shape: Size,
        num_classes: int,
        *,
        votes: bool,
        passes: int = 1,
        keeps_probabilities: bool = False,
    ):
        self._shape, self._votes, self._done = shape, votes, 0
        self._num_values = 2 * num_classes if votes else num_classes
        self.layers = [
            Layer(canvas, overlap, self._num_values, shape, passes, smooth=not votes)
            for canvas in canvases
        ]
        self.answers = Answers(
            np.zeros(shape, np.int32),
            np.zeros(shape, np.float32),
            np.zeros(shape, np.float32),
            np.zeros((*shape, num_classes), np.float16) if keeps_probabilities else None,
        )

    @property
    def is_complete(self) -> bool:
        """True if all rows have their answers."""
        return self._done == self._shape[0]

    def advance(self) -> None:
        """Reads the answers of the rows that no later window changes."""
        ready = min(layer.ready for layer in self.layers)
        height = max(1, _BAND_BYTES // (4 * self._shape[1] * self._num_values))
        while self._done < ready:
            stop = min(ready, self._done + height)
            bands = [layer.read(self._done, stop) for layer in self.layers]
            values = bands[0] if len(bands) == 1 else np.mean(bands, axis=0)
            found = (of_votes if self._votes else of_probabilities)(values)
            for whole, band in zip(self.answers, found, strict=True):
                if whole is not None:
                    whole[self._done : stop] = band
            self._done = stop
        for layer in self.layers:
            layer.forget(self._done)
