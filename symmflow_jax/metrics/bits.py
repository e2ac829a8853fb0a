"""Code lengths in bits from log densities, and means with their standard errors."""

import math
from typing import Any

import numpy as np


def bits(nats: np.ndarray, num_dimensions: int, bin_width: float) -> np.ndarray:
    """The code lengths of discrete data in bits, float64 `[n]`.

    A density, times the volume of the bin over which dequantisation spreads the data, is a
    probability. For 8-bit images in [-1, 1] the bin is 1/127.5 wide, and a constant density over
    all 256 levels gives 8 bits for each dimension.

    Args:
        nats: log densities, float `[n]`.
        num_dimensions: number of dimensions of the density.
        bin_width: width of the bin along each of them.
    """
    nats = np.asarray(nats, np.float64)
    return -(nats + num_dimensions * math.log(bin_width)) / math.log(2.0)


class MeanAndError:
    """A mean and its standard error, from sums in float64 that processes can add up."""

    def __init__(self) -> None:
        self.sums = np.zeros(3)

    def add(self, values: Any, valid: Any) -> None:
        """Adds values `[n]`, without those that are not valid, such as padding."""
        kept = np.asarray(values, np.float64)[np.asarray(valid, bool)]
        self.sums += len(kept), kept.sum(), np.square(kept).sum()

    @property
    def count(self) -> int:
        """Number of values."""
        return int(self.sums[0])

    @property
    def mean(self) -> float:
        """The mean; NaN of no values."""
        return float(self.sums[1] / self.sums[0]) if self.count else math.nan

    @property
    def standard_error(self) -> float:
        """The standard deviation of the mean; NaN of fewer than two values."""
        if self.count < 2:
            return math.nan
        square = max(0.0, float(self.sums[2]) - self.count * self.mean**2)
        return math.sqrt(square / (self.count - 1) / self.count)
