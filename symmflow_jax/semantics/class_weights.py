"""Weights of classes in the cross-entropy, from how often they occur."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float64

Weighting = Callable[[Float64[np.ndarray, " classes"]], Float64[np.ndarray, " classes"]]
"""A function of the shares of the classes, positive, that gives their weights."""


def enet(shares: Float64[np.ndarray, " classes"]) -> Float64[np.ndarray, " classes"]:
    """`1 / ln(1.02 + share)`, at most 50.5 (ENet, Paszke et al. 2016, arXiv 1606.02147)."""
    return 1.0 / np.log(1.02 + shares)


def inverse_sqrt(shares: Float64[np.ndarray, " classes"]) -> Float64[np.ndarray, " classes"]:
    """One over the square root of the share."""
    return 1.0 / np.sqrt(shares)


def weights_of_counts(counts: Sequence[int], weighting: Weighting) -> tuple[float, ...]:
    """The weight of each class, scaled so that their mean over what was counted is 1.

    So the loss has the size that it has without weights. A class that does not occur is weighted as
    if it occurred once.

    Args:
        counts: how often each class occurs.
        weighting: weights by shares.

    Raises:
        ValueError: if nothing was counted.
    """
    found = np.asarray(counts, np.float64)
    if not found.sum():
        raise ValueError("No pixel of the training data has a class, so there are no class weights.")
    shares = np.maximum(found, 1.0) / found.sum()
    weights = weighting(shares)
    scale = np.sum(found * weights) / found.sum()
    return tuple(float(weight) for weight in weights / scale)
