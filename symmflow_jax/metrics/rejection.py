"""Rejection curves: scores of the answers that remain as the least sure ones are rejected."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

NUM_SHARES = 20
"""Shares of a curve: 0, 5, ..., 95 %, as in the published code of MedSymmFlow."""


class RejectionCurve(NamedTuple):
    """Scores by the share of rejected answers, each attribute `[NUM_SHARES]`.

    Attributes:
        rejected: share that is rejected at least, float64 in [0, 1), increasing from 0.
        kept: number of answers that remain, int64.
        accuracy: share of the remaining answers that are correct, float64 in [0, 1].
        auc: area under the ROC curve of the remaining answers, float64; NaN where not defined.
    """

    rejected: np.ndarray
    kept: np.ndarray
    accuracy: np.ndarray
    auc: np.ndarray


def rejection_curve(
    surest_first: np.ndarray, correct: np.ndarray, auc: Callable[[np.ndarray], float]
) -> RejectionCurve:
    """The curve of answers in an order of their own.

    Of n answers, `floor(n * share)` are rejected (Geifman and El-Yaniv 2017, arXiv 1705.08500).

    Args:
        surest_first: int `[n]`, indices of the answers, the least sure last; at least one.
        correct: bool `[n]`.
        auc: function from the indices of the remaining answers to their area.
    """
    count = len(surest_first)
    steps = np.arange(NUM_SHARES)
    kept = count - count * steps // NUM_SHARES
    remaining = [surest_first[:number] for number in kept]
    return RejectionCurve(
        rejected=steps / NUM_SHARES,
        kept=kept,
        accuracy=np.array([np.mean(correct[indices]) for indices in remaining]),
        auc=np.array([auc(indices) for indices in remaining]),
    )
