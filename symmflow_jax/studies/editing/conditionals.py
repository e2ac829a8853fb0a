"""Exact conditionals of the Gaussian mixture: some coordinates of a point, given the others."""

import numpy as np
from scipy import special

from symmflow_jax.data.sources.synthetic import gaussian_mixture

NUM_KNOWN = 8
"""The first coordinates of a point, which are given; the others are to be found."""


def draw(rng: np.random.Generator, label: int, known: np.ndarray, count: int) -> np.ndarray:
    """Draws the other coordinates of points of a class, float64 `[count, n - known]`.

    Beside known coordinates a Gaussian stays one, and the weights of the Gaussians of a class are
    those that the known coordinates leave them.

    Args:
        rng: source of the draws.
        label: the class.
        known: the first coordinates, `[known]`.
        count: number of draws.
    """
    means, axes, scales = gaussian_mixture.components()
    size = len(known)
    mean, frame = means[label], axes[label]
    covariance = np.einsum("pij,j,pkj->pik", frame, np.square(scales), frame)
    offset = known - mean[:, :size]
    given, across = covariance[:, :size, :size], covariance[:, size:, :size]
    inverse = np.linalg.inv(given)
    log_weights = -0.5 * np.einsum("pi,pij,pj->p", offset, inverse, offset)
    log_weights -= 0.5 * np.linalg.slogdet(given)[1]
    weights = np.exp(log_weights - special.logsumexp(log_weights))
    centres = mean[:, size:] + np.einsum("pij,pjk,pk->pi", across, inverse, offset)
    spread = covariance[:, size:, size:] - across @ inverse @ np.swapaxes(across, 1, 2)
    factors = np.linalg.cholesky(spread)
    parts = rng.choice(len(weights), size=count, p=weights)
    noise = rng.normal(size=(count, centres.shape[1]))
    return centres[parts] + np.einsum("nij,nj->ni", factors[parts], noise)
