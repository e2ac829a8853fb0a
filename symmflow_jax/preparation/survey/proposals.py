"""What the examples of a data set propose for its config: an image size and class weights."""

import collections
import itertools
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from symmflow_jax.semantics import class_weights
from symmflow_jax.semantics.labels import LabelSchema

WEIGHTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "enet": class_weights.enet,
    "inverse_sqrt": class_weights.inverse_square_root,
}
"""Class weights by the name that `train.class_weights` has for them."""

_MOST_NAMED = 12
_AREA_FACTOR = 0.5  # An area that is twice as large counts as half of a ratio twice as large.
_CUT_OFF, _ENLARGED = 0.05, 1.5

Size = tuple[int, int]


def median_size(sizes: Mapping[Size, int]) -> Size:
    """Median height and median width of images, by the number of images of each size."""
    return _median({h: n for h, n in _summed(sizes, 0)}), _median(
        {w: n for w, n in _summed(sizes, 1)}
    )


def aspect_ratio(sizes: Mapping[Size, int]) -> float:
    """The median of width over height."""
    ratios: collections.Counter[float] = collections.Counter()
    for (height, width), count in sizes.items():
        ratios[width / height] += count
    return _median(ratios)


def propose_size(sizes: Mapping[Size, int], now: Size, multiple: int) -> Size:
    """Height and width with the aspect ratio of the images, at about the cost of a size.

    Args:
        sizes: number of images of each `(height, width)`.
        now: height and width whose area is kept, unless the images are smaller.
        multiple: number that must divide both.
    """
    ratio, (height, width) = aspect_ratio(sizes), median_size(sizes)
    area = min(now[0] * now[1], height * width)
    sides = [
        multiple * n
        for n in range(1, 2 + math.ceil(2 * math.sqrt(area * max(ratio, 1 / ratio)) / multiple))
    ]

    def misfit(size: Size) -> float:
        of_ratio = abs(math.log(size[1] / size[0] / ratio))
        return of_ratio + _AREA_FACTOR * abs(math.log(size[0] * size[1] / area))

    return min(itertools.product(sides, sides), key=misfit)


def size_line(sizes: Mapping[Size, int], now: Size, multiple: int) -> str:
    """One sentence on how the config's image size fits the images, with a better one if not.

    Args:
        sizes: number of images of each `(height, width)`, at least one.
        now: `data.image_size`.
        multiple: number that must divide both sides.
    """
    ratio, (height, width) = aspect_ratio(sizes), median_size(sizes)
    kept = min(now[1] / now[0] / ratio, ratio * now[0] / now[1])
    enlarged = max(now[0] / height, now[1] / width)
    start = f"image_size {now[0]},{now[1]} (height, width)"
    reasons = []
    if 1 - kept > _CUT_OFF:
        reasons.append(f"has another aspect ratio than the images and leaves out {1 - kept:.0%}")
    if enlarged > _ENLARGED:
        reasons.append(f"enlarges the images {enlarged:.1f} times, at a cost that brings nothing")
    if not reasons:
        return f"{start} fits the images (median {height},{width})."
    proposed = propose_size(sizes, now, multiple)
    if proposed == now:
        return f"{start} {' and '.join(reasons)}; sides must be divisible by {multiple}."
    return (
        f"{start} {' and '.join(reasons)} (median {height},{width}). Of about the same cost or "
        f"less: --config.data.image_size={proposed[0]},{proposed[1]}"
    )


def weight_lines(shares: np.ndarray, schema: LabelSchema) -> list[str]:
    """A line for each kind of class weights.

    Args:
        shares: share of each class in the pixels that count, float64 `[classes]`.
        schema: the classes.
    """
    lines = []
    for name, weigh in WEIGHTS.items():
        weights = weigh(shares)
        named = [f"{schema.names[c]} {weights[c]:.2f}" for c in schema.scored]
        shown = ", ".join(named[:_MOST_NAMED]) + (", ..." if len(named) > _MOST_NAMED else "")
        lines.append(f"--config.train.class_weights={name}: {shown}")
    return lines


def _summed(sizes: Mapping[Size, int], axis: int) -> Sequence[tuple[int, int]]:
    counts: collections.Counter[int] = collections.Counter()
    for size, count in sizes.items():
        counts[size[axis]] += count
    return list(counts.items())


def _median(counts: Mapping):
    """The lower median of values, each with the number of times it occurs."""
    half = sum(counts.values()) / 2
    passed = 0
    for value in sorted(counts):
        passed += counts[value]
        if passed >= half:
            return value
    raise ValueError("There are no images.")
