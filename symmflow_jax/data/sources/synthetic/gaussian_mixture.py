"""A mixture of Gaussians in sixteen dimensions with known conditional distributions."""

import numpy as np
from scipy import special

from symmflow_jax.data import source
from symmflow_jax.data.sources.synthetic.drawn_points import DrawnPoints

NUM_CLASSES = 8
POINT_SIZE = 16

# Each class is a pair of Gaussians, so its mean and covariance do not determine its distribution.
_NUM_PARTS = 2
_SPREAD_OF_MEANS = 0.5
# Standard deviations along the axes of a Gaussian; each Gaussian has its own axes.
_SCALES = np.geomspace(0.5, 1.0, POINT_SIZE)
# The distribution is the same in every run; its samples depend on the seed of the run.
_DISTRIBUTION_SEED = 20_250_610


def _fixed_distribution() -> tuple[np.ndarray, np.ndarray]:
    """Means `[classes, parts, n]`, which sum to zero, and covariance factors `[..., n, n]`."""
    rng = np.random.default_rng(_DISTRIBUTION_SEED)
    means = rng.normal(scale=_SPREAD_OF_MEANS, size=(NUM_CLASSES, _NUM_PARTS, POINT_SIZE))
    axes, _ = np.linalg.qr(rng.normal(size=(*means.shape, POINT_SIZE)))
    return means - means.mean(axis=(0, 1)), axes * _SCALES


_MEANS, _FACTORS = _fixed_distribution()


class GaussianMixture(DrawnPoints):
    """Points "image" float32 `[16]` of eight classes, with "label" int32 `[]`.

    All classes are equally probable. The distribution of each class is a mixture of two Gaussians
    with equal weights. Coordinates have mean 0 and a standard deviation of about 0.9. The classes
    overlap: the best possible accuracy is about 0.80.

    Args:
        size: number of points, at least 1; point i has class i modulo 8.
        split: "train" or "test", with different points.
        seed: seed of the points, at least 0; the distribution does not depend on it.

    Raises:
        ValueError: if size, split or seed is invalid.
    """

    def __init__(self, size: int, split: str, seed: int):
        source.check_drawn(size, split, seed)
        labels = (np.arange(size) % NUM_CLASSES).astype(np.int32)
        points = draw(source.random_stream(seed, split), labels)
        super().__init__(points, labels, source.numbered_classes(NUM_CLASSES))


def draw(rng: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Draws a point given each label, int `[count]`; float32 `[count, 16]`."""
    parts = rng.integers(_NUM_PARTS, size=len(labels))
    noise = rng.normal(size=(len(labels), POINT_SIZE))
    offsets = np.einsum("nij,nj->ni", _FACTORS[labels, parts], noise)
    return (_MEANS[labels, parts] + offsets).astype(np.float32)


def posterior(points: np.ndarray) -> np.ndarray:
    """Exact probability of each class at points `[..., 16]`, float64 `[..., 8]`."""
    densities = _log_densities(points)
    densities = np.exp(densities - densities.max(axis=-1, keepdims=True))
    return densities / densities.sum(axis=-1, keepdims=True)


def log_density(points: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    """Exact log density in nats at points `[..., 16]`, float64 `[...]`.

    Args:
        points: the points.
        labels: int `[...]` for the density of a point given its class; None for that of all.
    """
    of_classes = _log_densities(points)
    if labels is None:
        return special.logsumexp(of_classes, axis=-1) - np.log(NUM_CLASSES)
    return np.take_along_axis(of_classes, labels[..., None], axis=-1)[..., 0]


def components() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means `[classes, parts, n]`, axes `[classes, parts, n, n]` and scales `[n]` of all Gaussians.

    The columns of the axes are orthonormal. The scales are the standard deviations along them.
    """
    return _MEANS, _FACTORS / _SCALES, _SCALES


def _log_densities(points: np.ndarray) -> np.ndarray:
    """Log densities given each class at points `[..., 16]`, float64 `[..., 8]`."""
    offsets = points[..., None, None, :].astype(np.float64) - _MEANS
    # The axes are orthogonal, so the inverse of a factor is its transpose over squared scales.
    whitened = np.einsum("cpij,...cpi->...cpj", _FACTORS / _SCALES**2, offsets)
    of_parts = -0.5 * np.square(whitened).sum(axis=-1)
    constant = np.log(_SCALES).sum() + 0.5 * POINT_SIZE * np.log(2 * np.pi) + np.log(_NUM_PARTS)
    return special.logsumexp(of_parts, axis=-1) - constant
