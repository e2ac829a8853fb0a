"""Flow maps of a Gaussian, whose map is known in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.flow_map import (
    FLOW_MAP,
    adaptive_weight,
    derivative_along,
    velocity_of_map,
)
from symmflow_jax.flow.solvers.fixed_steps import flow_map
from symmflow_jax.flow.state import JointState

_MEAN, _SCALE = 0.7, 0.4
"""The data: normal with this mean and standard deviation, from standard normal noise."""


def _deviation(t):
    return jnp.sqrt(jnp.square(1.0 - t) + jnp.square(_SCALE * t))


def _column(t):
    return jnp.reshape(t, (-1, 1))


def _end(x, t, span):
    """Where a trajectory of the probability flow ends: it keeps its quantile."""
    quantile = (x - _MEAN * t) / _deviation(t)
    return _MEAN * (t + span) + _deviation(t + span) * quantile


def _average_velocity(x, t, span):
    t, span = _column(t), _column(span)
    return (_end(x, t, span) - x) / span


def _velocity(x, t):
    t = _column(t)
    rate = (_SCALE**2 * t - (1.0 - t)) / jnp.square(_deviation(t))
    return _MEAN + rate * (x - _MEAN * t)


@pytest.fixture
def at():
    """Points, times and spans."""
    x_key, t_key, d_key = jax.random.split(jax.random.key(0), 3)
    t = jax.random.uniform(t_key, (64,), maxval=0.8)
    span = jax.random.uniform(d_key, (64,), minval=0.05) * (1.0 - t)
    return jax.random.normal(x_key, (64, 3)), t, span


def test_the_map_of_a_flow_fulfils_the_identity(at):
    x, t, span = at
    velocity = _velocity(x, t)
    derivative = derivative_along(_average_velocity, x, t, span, velocity)
    found = velocity_of_map(_average_velocity(x, t, span), derivative, span)
    np.testing.assert_allclose(found, velocity, atol=2e-4)


def test_another_map_does_not(at):
    x, t, span = at
    velocity = _velocity(x, t)

    def straight(x, t, span):  # As Euler's method has it.
        return _velocity(x, t)

    derivative = derivative_along(straight, x, t, span, velocity)
    found = velocity_of_map(straight(x, t, span), derivative, span)
    assert np.abs(found - velocity).max() > 0.1


def test_the_derivative_agrees_with_differences_along_the_trajectory(at):
    x, t, span = at
    step = 1e-2

    def moved(by):
        point = _end(x, _column(t), by)
        return _average_velocity(point, t + by, span - by)

    differences = (moved(step) - moved(-step)) / (2.0 * step)
    found = derivative_along(_average_velocity, x, t, span, _velocity(x, t))
    np.testing.assert_allclose(found, differences, rtol=5e-3, atol=5e-3)


@pytest.mark.parametrize("num_steps", [1, 2, 4])
def test_jumps_of_the_map_arrive_where_the_flow_does(num_steps):
    noise = jax.random.normal(jax.random.key(1), (5, 3))

    def dynamics(state, moment, span):
        batch = jnp.full(5, moment.s), jnp.full(5, span)
        return JointState(_average_velocity(state.image, *batch), jnp.zeros(5))

    solution = flow_map(num_steps)(dynamics, JointState(noise, jnp.ones(5)), 0.0, 1.0)
    np.testing.assert_allclose(solution.state.image, _MEAN + _SCALE * noise, atol=1e-5)
    np.testing.assert_array_equal(solution.state.semantics, 1.0)
    np.testing.assert_array_equal(solution.nfe, num_steps)
    assert flow_map(num_steps).takes_spans and FLOW_MAP.weights == (1.0,)


def test_weighted_errors_count_alike_and_the_weight_has_no_gradient():
    errors = jnp.asarray([0.0, 0.1, 10.0])
    np.testing.assert_allclose(errors * adaptive_weight(errors), [0.0, 0.909, 0.999], atol=1e-3)
    gradient = jax.grad(lambda e: jnp.sum(e * adaptive_weight(e)))(errors)
    np.testing.assert_allclose(gradient, 1.0 / (errors + 0.01), rtol=1e-6)
