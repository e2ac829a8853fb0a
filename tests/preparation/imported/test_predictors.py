"""Predictors without a network."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.paths.linear import LinearPath
from symmflow_jax.flow.state import JointState, map_components
from symmflow_jax.methods.symmflow import component_paths
from symmflow_jax.preparation.imported.predictors import (
    LinearPredictor,
    ZeroPredictor,
    statistics_of,
)

PATHS = component_paths(LinearPath(), LinearPath())


def _draws(t: float, count: int = 20_000):
    """Clean data of two channels with unlike means and deviations, their points and velocities."""
    rng = np.random.default_rng(0)
    means, deviations = np.array([0.5, -1.0]), np.array([0.3, 2.0])
    data = JointState(
        *(jnp.asarray(means + deviations * rng.standard_normal((count, 2)), jnp.float32),) * 2
    )
    noise = JointState(*(jnp.asarray(rng.standard_normal((count, 2)), jnp.float32),) * 2)
    times = jnp.full(count, t)
    points = map_components(lambda path, *ends: path.interpolate(*ends, times), PATHS, data, noise)
    velocities = map_components(lambda path, *ends: path.velocity(*ends, times), PATHS, data, noise)
    return data, points, velocities, times


@pytest.mark.parametrize("t", [0.0, 0.3, 0.9, 1.0])
def test_no_linear_map_is_better(t):
    """The least squares of a line through points and velocities, channel by channel."""
    data, points, velocities, times = _draws(t)
    params = statistics_of(data)
    predicted = LinearPredictor(PATHS).apply({"params": params}, *points, times)
    for found, point, velocity in zip(predicted, points, velocities, strict=True):
        for channel in range(2):
            u, v = np.asarray(point[:, channel]), np.asarray(velocity[:, channel])
            if np.std(u) < 1e-3:  # All of the point is clean data of this channel.
                continue
            best = np.polyval(np.polyfit(u, v, 1), u)
            error = np.mean((found[:, channel] - v) ** 2)
            assert error <= 1.02 * np.mean((best - v) ** 2) + 1e-4


def test_statistics_are_those_of_the_channels():
    data, *_ = _draws(0.0)
    found = statistics_of(jax.tree.map(lambda a: a.reshape(100, 2, 100, 2), data))
    np.testing.assert_allclose(found["image"]["mean"], [0.5, -1.0], atol=0.05)
    np.testing.assert_allclose(found["semantics"]["variance"], [0.09, 4.0], rtol=0.05)


def test_zeros_have_the_shapes_of_the_state():
    outputs = ZeroPredictor().apply(
        {"params": {}}, jnp.ones((2, 4, 4, 3)), jnp.ones((2, 4, 4, 1)), jnp.ones(2)
    )
    assert [output.shape for output in outputs] == [(2, 4, 4, 3), (2, 4, 4, 1)]
    assert not any(np.any(output) for output in outputs)
