"""Ordered classes that points leave undecided between two: what the mean of a code gets wrong."""

import numpy as np

from symmflow_jax.data import source
from symmflow_jax.data.sources.synthetic.drawn_points import DrawnPoints

NUM_CLASSES = 10

# Cluster c holds class c with this probability and class c + 5 otherwise. The mean of the two
# numbers is c + 5 (1 - p), which for all but the first and the fourth cluster rounds to a class
# that is not there.
_PROBABILITIES = np.array([0.95, 0.35, 0.76, 0.08, 0.60])
_NUM_CLUSTERS = len(_PROBABILITIES)

# Discs on a circle, whose centres are 1.29 apart: no point belongs to two.
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
"""Of naming the more probable class of each cluster, all of which are equally probable: 0.776."""


class SplitPosterior(DrawnPoints):
    """Points "image" float32 `[2]` of ten ordered classes, with "label" int32 `[]`.

    The points lie in five discs within [-1.4, 1.4], evenly spread over each. In each disc there
    are two classes, which nothing but chance tells apart.

    Args:
        size: number of points; discs take turns.
        split: "train" or "test", whose points differ.
        seed: origin of the randomness, at least 0.
    """

    def __init__(self, size: int, split: str, seed: int):
        source.check_drawn(size, split, seed)
        rng = source.random_stream(seed, split)
        clusters = np.arange(size) % _NUM_CLUSTERS
        is_second = rng.uniform(size=size) >= _PROBABILITIES[clusters]
        labels = (clusters + _NUM_CLUSTERS * is_second).astype(np.int32)
        super().__init__(_draw(rng, clusters), labels, source.numbered_classes(NUM_CLASSES))


def posterior(points: np.ndarray) -> np.ndarray:
    """Probability of each class at points `[..., 2]`, float64 `[..., 10]`.

    Outside the discs it is that of the nearest one.
    """
    squares = np.square(points[..., None, :].astype(np.float64) - _CENTRES).sum(axis=-1)
    return _TABLE[squares.argmin(axis=-1)]


def _draw(rng: np.random.Generator, clusters: np.ndarray) -> np.ndarray:
    """Points, float32 `[count, 2]`, spread evenly over the discs of clusters `[count]`."""
    # The area grows with the square of the radius, so its root spreads the points evenly.
    radii = _RADIUS * np.sqrt(rng.uniform(size=len(clusters)))
    angles = rng.uniform(0.0, 2.0 * np.pi, len(clusters))
    offsets = radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return (_CENTRES[clusters] + offsets).astype(np.float32)
