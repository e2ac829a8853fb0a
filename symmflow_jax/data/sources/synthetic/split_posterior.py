"""Ordered classes with a two-class posterior: a test case for the mean of a scalar code."""

import numpy as np

from symmflow_jax.data import source
from symmflow_jax.data.sources.synthetic.drawn_points import DrawnPoints

NUM_CLASSES = 10

# Cluster c holds class c with this probability and class c + 5 otherwise. The mean of the two
# numbers is c + 5 (1 - p). Except in the first and the fourth cluster, it rounds to a class that
# does not occur in the cluster.
_PROBABILITIES = np.array([0.95, 0.35, 0.76, 0.08, 0.60])
_NUM_CLUSTERS = len(_PROBABILITIES)

# Discs on a circle with centres 1.29 apart, so they do not overlap.
_ANGLES = 2.0 * np.pi * np.arange(_NUM_CLUSTERS) / _NUM_CLUSTERS
_CENTRES = 1.1 * np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=-1)
_RADIUS = 0.3


def _table() -> np.ndarray:
    """Probability of each class in each cluster, float64 `[clusters, classes]`."""
    clusters = np.arange(_NUM_CLUSTERS)
    table = np.zeros((_NUM_CLUSTERS, NUM_CLASSES))
    table[clusters, clusters] = _PROBABILITIES
    table[clusters, clusters + _NUM_CLUSTERS] = 1.0 - _PROBABILITIES
    return table


_TABLE = _table()

BEST_ACCURACY = float(_TABLE.max(axis=1).mean())
"""Accuracy of the more probable class of each cluster, with equally probable clusters: 0.776."""


class SplitPosterior(DrawnPoints):
    """Points "image" float32 `[2]` of ten ordered classes, with "label" int32 `[]`.

    The points lie in five discs within [-1.4, 1.4], uniformly in each. Each disc contains two
    classes, which are independent of the position in the disc.

    Args:
        size: number of points, at least 1; point i lies in disc i modulo 5.
        split: "train" or "test", with different points.
        seed: seed of the points, at least 0.

    Raises:
        ValueError: if size, split or seed is invalid.
    """

    def __init__(self, size: int, split: str, seed: int):
        source.check_drawn(size, split, seed)
        rng = source.random_stream(seed, split)
        clusters = np.arange(size) % _NUM_CLUSTERS
        is_second = rng.uniform(size=size) >= _PROBABILITIES[clusters]
        labels = (clusters + _NUM_CLUSTERS * is_second).astype(np.int32)
        super().__init__(_draw(rng, clusters), labels, source.numbered_classes(NUM_CLASSES))


def posterior(points: np.ndarray) -> np.ndarray:
    """Exact probability of each class at points `[..., 2]`, float64 `[..., 10]`.

    Points outside the discs get the probabilities of the nearest disc.
    """
    squares = np.square(points[..., None, :].astype(np.float64) - _CENTRES).sum(axis=-1)
    return _TABLE[squares.argmin(axis=-1)]


def _draw(rng: np.random.Generator, clusters: np.ndarray) -> np.ndarray:
    """Points, float32 `[count, 2]`, uniform over the discs of clusters `[count]`."""
    # The area grows with the square of the radius, so the root makes points uniform.
    radii = _RADIUS * np.sqrt(rng.uniform(size=len(clusters)))
    angles = rng.uniform(0.0, 2.0 * np.pi, len(clusters))
    offsets = radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return (_CENTRES[clusters] + offsets).astype(np.float32)
