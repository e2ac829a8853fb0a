"""Showing examples of rare classes more often, in an order that needs no state."""

import math
from collections.abc import Collection

import grain
import numpy as np
from jaxtyping import Float64, Int64

_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


def repeat_factors(
    table: Int64[np.ndarray, "examples classes"],
    threshold: float,
    ignored: Collection[int] = (),
) -> Float64[np.ndarray, " examples"]:
    """How often each example is shown, relative to one without rare classes; at least 1.

    A class c in a share f of the examples has the factor max(1, sqrt(threshold / f)), and an
    example the largest factor of its classes (LVIS, Gupta et al. 2019, arXiv 1908.03195,
    appendix B.2).

    Args:
        table: result of `class_counts.count_by_example`.
        threshold: share of the examples below which a class is rare, in [0, 1].
        ignored: classes that do not count.
    """
    occurs = table > 0
    occurs[:, list(ignored)] = False
    shares = occurs.mean(axis=0)
    factors = np.sqrt(threshold / np.where(shares > 0.0, shares, 1.0)).clip(min=1.0)
    return np.where(occurs, factors, 1.0).max(axis=1, initial=1.0)


class ShownByWeight(grain.MapDataset):
    """A dataset whose elements come as often as their weights say, in epochs of equal length.

    An element of weight w comes `n w / sum(w)` times in an epoch of n, rounded up or down
    (systematic sampling). The offset of the rounding moves by the golden ratio from epoch to
    epoch, so that over several epochs each element comes as often as it should, within about one
    time. Every position is a function of its index alone: nothing has to be saved, and it does
    not matter who asks.

    Args:
        parent: the elements; `shuffle` comes after this.
        weights: positive, float `[elements]`.
    """

    def __init__(self, parent: grain.MapDataset, weights: np.ndarray):
        if len(weights) != len(parent):
            raise ValueError(f"{len(weights)} weights are not of {len(parent)} elements.")
        super().__init__(parent)
        ends = np.cumsum(np.asarray(weights, np.float64))
        self._ends = ends * (len(parent) / ends[-1])

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return self.slice(index)
        epoch, position = divmod(index, len(self))
        offset = (0.5 + epoch * _GOLDEN) % 1.0
        chosen = int(np.searchsorted(self._ends, position + offset, side="right"))
        # The index of the parent keeps the epoch.
        return self._parent[epoch * len(self) + min(chosen, len(self) - 1)]
