"""The area under the ROC curve: of one score, and of the scores of several classes."""

import warnings

import numpy as np
from scipy.stats import rankdata


def area(scores: np.ndarray, positive: np.ndarray) -> float:
    """The share of pairs of a positive and a negative example in which the positive scores higher.

    Ties count one half, so it is the area under the ROC curve by trapezoids.

    Args:
        scores: float `[n]`.
        positive: bool `[n]`.

    Returns:
        a number in [0, 1]; NaN without positive or without negative examples.
    """
    num_positive = int(np.sum(positive))
    num_pairs = num_positive * (len(positive) - num_positive)
    if not num_pairs:
        return float("nan")
    ranks = np.sum(rankdata(scores)[positive])
    return float((ranks - num_positive * (num_positive + 1) / 2) / num_pairs)


def one_vs_rest(scores: np.ndarray, targets: np.ndarray) -> float:
    """The mean over the classes of the area of each one's score against all other classes.

    Args:
        scores: float `[n, classes]`.
        targets: int `[n]`, the true classes.

    Returns:
        a number in [0, 1]. Classes that all or no examples have do not count; NaN if none counts.
    """
    areas = [area(scores[:, label], targets == label) for label in range(scores.shape[1])]
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        return float(np.nanmean(areas))


def medmnist(scores: np.ndarray, targets: np.ndarray) -> float:
    """The AUC as the evaluator of MedMNIST defines it (arXiv 2110.14795).

    It is the area of the second class's score if there are two classes, and otherwise the mean of
    `one_vs_rest`, also for ordered classes. Arguments and result are as there.
    """
    if scores.shape[1] == 2:
        return area(scores[:, 1], targets == 1)
    return one_vs_rest(scores, targets)
