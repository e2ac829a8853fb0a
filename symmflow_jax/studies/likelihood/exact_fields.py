"""Velocities of distributions whose flow is known, in place of a network."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from symmflow_jax.data.sources.synthetic import gaussian_mixture
from symmflow_jax.flow.clocks import Velocity
from symmflow_jax.flow.state import JointState

SIGMA_MIN = 1e-4
"""The share of the noise at the end of the linear path."""


def mixture() -> Velocity:
    """The velocity of points of the Gaussian mixture beside their classes, on a linear path.

    The semantics of the state are the classes themselves, float `[batch, 1]`. Along the path every
    Gaussian stays one: its velocity is linear, and the mixture's is the mean of the velocities,
    weighted by the probability of each Gaussian at the point.
    """
    means, axes, scales = (jnp.asarray(a, jnp.float32) for a in gaussian_mixture.components())

    def velocity(state: JointState, times: JointState) -> JointState:
        t = times.image
        classes = state.semantics[:, 0].astype(jnp.int32)
        mean, frame = means[classes], axes[classes]
        offsets = jnp.einsum("bpij,bpi->bpj", frame, state.image[:, None] - t * mean)
        variance, rate = (array[None, None] for array in _variance(scales, t))
        log_weights = -0.5 * jnp.sum(jnp.square(offsets) / variance, axis=-1)
        moved = mean + jnp.einsum("bpij,bpj->bpi", frame, rate * offsets)
        image = jnp.einsum("bp,bpi->bi", jax.nn.softmax(log_weights, axis=-1), moved)
        return JointState(image, jnp.zeros_like(state.semantics))

    return velocity


def gaussian(mean: np.ndarray, scales: np.ndarray) -> Velocity:
    """The velocity of one Gaussian `[n]` with independent coordinates, on a linear path."""
    centre, widths = jnp.asarray(mean, jnp.float32), jnp.asarray(scales, jnp.float32)

    def velocity(state: JointState, times: JointState) -> JointState:
        t = times.image
        rate = _variance(widths, t)[1]
        image = centre[None] + rate[None] * (state.image - t * centre[None])
        return JointState(image, jnp.zeros_like(state.semantics))

    return velocity


def _variance(
    scales: Float[Array, " n"], t: Float[Array, ""]
) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
    """Variances along the axes at t, and half the rate of their logarithm."""
    noise = 1.0 - (1.0 - SIGMA_MIN) * t
    variance = noise**2 + jnp.square(t * scales)
    return variance, (t * jnp.square(scales) - (1.0 - SIGMA_MIN) * noise) / variance
