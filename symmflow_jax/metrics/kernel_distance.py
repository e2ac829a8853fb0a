"""The kernel distance between two sets of features (KID; Bińkowski et al., arXiv 1801.01401)."""

from typing import NamedTuple

import numpy as np


class KernelDistance(NamedTuple):
    """Mean and standard deviation of the squared distance over random subsets."""

    mean: float
    std: float


def kernel_distance(
    first: np.ndarray,
    second: np.ndarray,
    *,
    seed: int,
    num_subsets: int = 100,
    subset_size: int = 1000,
) -> KernelDistance:
    """The squared maximum mean discrepancy, averaged over pairs of random subsets.

    Args:
        first: float features `[num_first, num_features]`.
        second: float features `[num_second, num_features]`.
        seed: seed of the random subsets.
        num_subsets: number of pairs of subsets, at least 1.
        subset_size: examples per subset, drawn without replacement from each set, at least 2.

    Raises:
        ValueError: if a set has fewer examples than a subset, if `num_subsets` or `subset_size`
            is too small, or if the numbers of features differ.
    """
    if num_subsets < 1:
        raise ValueError(f"The mean over {num_subsets} subsets is undefined; choose 1 or more.")
    smaller = min(len(first), len(second))
    if not 2 <= subset_size <= smaller:
        raise ValueError(
            f"A subset of {subset_size} examples cannot be drawn from {smaller}; choose "
            f"2 to {smaller}, or measure more examples."
        )
    generator = np.random.default_rng(seed)
    values = [
        squared_discrepancy(
            first[generator.choice(len(first), subset_size, replace=False)],
            second[generator.choice(len(second), subset_size, replace=False)],
        )
        for _ in range(num_subsets)
    ]
    return KernelDistance(float(np.mean(values)), float(np.std(values)))


def squared_discrepancy(first: np.ndarray, second: np.ndarray) -> float:
    """The unbiased estimate of the squared maximum mean discrepancy; it may be negative.

    The kernel is `(x·y / num_features + 1)³`. No example is compared with itself; that would
    bias the distance of small sets upwards.

    Args:
        first: float features `[num_first, num_features]`, at least two examples.
        second: float features `[num_second, num_features]`, at least two examples.

    Raises:
        ValueError: if the numbers of features differ.
    """
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"Features of {first.shape[1]} and {second.shape[1]} dimensions have no distance; "
            "take both from the same feature function."
        )
    between = _kernel(first, second).mean()
    return float(_mean_of_pairs(first) + _mean_of_pairs(second) - 2.0 * between)


def _mean_of_pairs(features: np.ndarray) -> float:
    """The kernel's mean over all pairs of different examples."""
    values = _kernel(features, features)
    count = len(features)
    return (values.sum() - np.trace(values)) / (count * (count - 1))


def _kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    product = first.astype(np.float64) @ second.astype(np.float64).T
    return (product / first.shape[1] + 1.0) ** 3
