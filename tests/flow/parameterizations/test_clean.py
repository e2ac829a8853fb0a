"""Outputs that are the clean data, against cases worked by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.parameterizations.clean import CleanParameterization
from symmflow_jax.flow.parameterizations.parameterization import PathPoint
from symmflow_jax.flow.paths.linear import LinearPath
from symmflow_jax.flow.paths.path import ComponentPath
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.runge_kutta import EULER
from symmflow_jax.flow.state import JointState
from symmflow_jax.semantics.one_hot import OneHot

CLEAN = CleanParameterization()
both_directions = pytest.mark.parametrize("clean_at_end", [True, False])
several_sigmas = pytest.mark.parametrize("sigma_min", [0.0, 1e-4, 0.1])


def on_path(path, t):
    """A batch of random data and noise on its path."""
    clean, noise = jax.random.normal(jax.random.key(0), (2, t.size, 2, 3))
    return PathPoint(path.interpolate(clean, noise, t), clean, noise, t, None)


@both_directions
@several_sigmas
def test_the_exact_data_gives_the_exact_velocity(clean_at_end, sigma_min):
    path = ComponentPath(LinearPath(sigma_min), clean_at_end)
    at = on_path(path, jnp.asarray([0.1, 0.3, 0.5, 0.9]))
    velocity = CLEAN.velocity(at.clean, at.point, at.t, path)
    np.testing.assert_allclose(velocity, path.velocity(at.clean, at.noise, at.t), atol=2e-5)


@both_directions
@several_sigmas
def test_the_exact_data_costs_nothing_at_any_time(clean_at_end, sigma_min):
    path = ComponentPath(LinearPath(sigma_min), clean_at_end)
    at = on_path(path, jnp.asarray([0.0, 1e-3, 0.5, 0.999, 1.0]))
    np.testing.assert_array_equal(CLEAN.loss(at.clean, at, path), jnp.zeros(5))


@pytest.mark.parametrize(("clean_at_end", "velocity"), [(True, -8.0), (False, 8 / 3)])
def test_known_velocity(clean_at_end, velocity):
    path = ComponentPath(LinearPath(sigma_min=0.0), clean_at_end)
    # From 5 to 3 in the last quarter of the time, or from 3 to 5 in the first three.
    result = CLEAN.velocity(jnp.asarray([[3.0]]), jnp.asarray([[5.0]]), jnp.asarray(0.75), path)
    np.testing.assert_allclose(result, [[velocity]], rtol=1e-6)


@pytest.mark.parametrize(
    ("clean_at_end", "times"),
    [(True, [0.0, 0.5, 0.75, 0.9]), (False, [1.0, 0.5, 0.25, 0.1])],
)
def test_a_wrong_one_costs_more_nearer_to_the_clean_end(clean_at_end, times):
    path = ComponentPath(LinearPath(sigma_min=0.0), clean_at_end)
    at = on_path(path, jnp.asarray(times))
    # Half a unit off, to be gone in all the time, half, a quarter and a tenth of it.
    losses = CLEAN.loss(at.clean + 0.5, at, path)
    np.testing.assert_allclose(losses, [0.25, 1.0, 4.0, 25.0], rtol=1e-4)


@both_directions
@several_sigmas
def test_velocity_loss_and_gradients_are_finite_at_both_ends(clean_at_end, sigma_min):
    path = ComponentPath(LinearPath(sigma_min), clean_at_end)
    at = on_path(path, jnp.asarray([0.0, 1e-6, 1.0 - 1e-6, 1.0]))

    def total(output, t):
        velocity = CLEAN.velocity(output, at.point, t, path)
        return jnp.sum(velocity) + jnp.sum(CLEAN.loss(output, at._replace(t=t), path))

    value, gradients = jax.value_and_grad(total, argnums=(0, 1))(at.clean + 1.0, at.t)
    assert np.isfinite(value)
    for gradient in gradients:
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize(("clean_at_end", "start", "end"), [(True, 0.0, 1.0), (False, 1.0, 0.0)])
@pytest.mark.parametrize("num_steps", [1, 2, 7])
def test_euler_steps_end_on_the_output(clean_at_end, start, end, num_steps):
    path = ComponentPath(LinearPath(sigma_min=0.0), clean_at_end)
    clean, noise = jax.random.normal(jax.random.key(0), (2, 2, 3))

    def dynamics(state, moment):
        velocity = CLEAN.velocity(clean, state.image, moment.s, path)
        return JointState(velocity, jnp.zeros_like(state.semantics))

    state = JointState(noise, jnp.zeros((2, 1)))
    result = FixedSteps(EULER, num_steps)(dynamics, state, start, end).state
    np.testing.assert_allclose(result.image, clean, atol=1e-5)


def test_all_components_have_the_same():
    assert CleanParameterization.of_component(None, 1.0, 1.0) == CLEAN
    assert CleanParameterization.of_component(OneHot(3), 8.0, 0.1) == CLEAN
