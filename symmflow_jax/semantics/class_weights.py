"""Weights of classes in a loss, from the share of the pixels that each class has.

Rare classes weigh more. All weights are scaled so that the mean weight of a pixel is 1: the loss
keeps its size, and the learning rate its meaning.
"""

import numpy as np
from jaxtyping import Float64

Shares = Float64[np.ndarray, " classes"]
"""Share of each class in the pixels; they add up to 1, or are all 0."""

_ENET_OFFSET = 1.02


def enet(shares: Shares) -> Shares:
    """`1 / ln(1.02 + share)`, which lies between 1.4 and 50 before scaling (ENet, arXiv 1606.02147).

    Args:
        shares: float64 `[classes]`.

    Returns:
        float64 `[classes]`; 1 for a class without pixels.
    """
    return _scaled(1.0 / np.log(_ENET_OFFSET + shares), shares)


def inverse_square_root(shares: Shares) -> Shares:
    """`1 / sqrt(share)`: between equal weights of pixels and equal weights of classes.

    Args:
        shares: float64 `[classes]`.

    Returns:
        float64 `[classes]`; 1 for a class without pixels.
    """
    return _scaled(1.0 / np.sqrt(np.where(shares > 0, shares, 1.0)), shares)


def _scaled(weights: Shares, shares: Shares) -> Shares:
    """Weights with a mean of 1 over the pixels, and 1 for a class that has none."""
    mean = float(np.sum(weights * shares))
    return np.where(shares > 0, weights / mean if mean else 1.0, 1.0)
