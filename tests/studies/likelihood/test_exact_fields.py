"""Velocities that are known, against the samples that they carry."""

import jax.numpy as jnp
import numpy as np

from symmflow_jax.data.sources.synthetic import gaussian_mixture
from symmflow_jax.flow.state import JointState
from symmflow_jax.studies.likelihood import exact_fields


def test_at_the_start_the_velocity_leads_to_the_mean():
    """At t = 0 the best guess of the data is its mean, whatever the noise is."""
    noise = jnp.asarray(np.random.default_rng(0).normal(size=(3, 2)), jnp.float32)
    velocity = exact_fields.gaussian(np.array([2.0, -1.0]), np.array([0.5, 3.0]))
    moved = velocity(JointState(noise, jnp.zeros((3, 1))), JointState(jnp.float32(0), None))
    expected = np.array([2.0, -1.0]) - (1 - exact_fields.SIGMA_MIN) * np.asarray(noise)
    np.testing.assert_allclose(moved.image, expected, atol=1e-5)


def test_the_velocity_of_the_mixture_is_the_mean_over_pairs_that_meet():
    """At a point and time, the mean of (data - noise) over data, by a sum over many draws."""
    rng, t = np.random.default_rng(1), 0.3
    data = gaussian_mixture.draw(rng, np.full(200_000, 5)).astype(np.float64)
    point = 0.4 * gaussian_mixture.draw(rng, np.array([5]))[0]
    noise = (point - t * data) / (1 - t)
    log_weights = -0.5 * np.square(noise).sum(axis=1)
    weights = np.exp(log_weights - log_weights.max())
    expected = (weights[:, None] * (data - noise)).sum(axis=0) / weights.sum()
    state = JointState(jnp.asarray(point[None], jnp.float32), jnp.full((1, 1), 5.0))
    moved = exact_fields.mixture()(state, JointState(jnp.float32(t), None)).image[0]
    np.testing.assert_allclose(moved, expected, atol=0.01)
