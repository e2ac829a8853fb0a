"""The variance-preserving path."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.paths.diffusion import BETA_MAX, BETA_MIN, DiffusionPath
from symmflow_jax.flow.paths.path import ComponentPath

both_directions = pytest.mark.parametrize("clean_at_end", [True, False])
PATH = DiffusionPath(1e-3)
TIMES = np.float32([0.0, 0.3, 0.7, 0.99, 1.0])


def _arrays():
    start, end = jax.random.normal(jax.random.key(0), (2, len(TIMES), 3))
    return start, end, jnp.asarray(TIMES)


def _shares(path, times):
    ones, zeros = jnp.ones((len(times), 1)), jnp.zeros((len(times), 1))
    t = jnp.asarray(times)
    return (
        np.asarray(path.interpolate(ones, zeros, t))[:, 0],
        np.asarray(path.interpolate(zeros, ones, t))[:, 0],
    )


def test_the_squares_of_the_shares_add_up_to_one():
    start, end = _shares(PATH, TIMES)
    np.testing.assert_allclose(start**2 + end**2, np.ones(5), rtol=1e-6)
    assert (np.diff(end) > 0).all()


def test_its_ends_are_those_of_the_paper():
    """A diffusion from 1e-5 to 1 with noise rates from 0.1 to 20, which ends near noise."""
    start, end = _shares(PATH, np.float32([0.0, 1.0]))
    assert end[0] == pytest.approx(np.exp(-0.25 * (BETA_MIN + BETA_MAX)), rel=1e-5)
    assert start[1] == pytest.approx(1e-3, rel=1e-3)
    assert PATH._first_time == pytest.approx(1e-5, rel=1e-2)


@pytest.mark.parametrize("sigma_min", [1e-4, 1e-2, 0.1])
def test_sigma_min_of_the_start_is_left(sigma_min):
    start, _ = _shares(DiffusionPath(sigma_min), np.float32([1.0]))
    assert start[0] == pytest.approx(sigma_min, rel=1e-3)


def test_velocity_is_the_time_derivative_of_the_interpolant():
    start, end, t = _arrays()
    derivative = jax.jvp(lambda t: PATH.interpolate(start, end, t), (t,), (jnp.ones(5),))[1]
    np.testing.assert_allclose(derivative, PATH.velocity(start, end, t), rtol=2e-3, atol=1e-5)


@both_directions
def test_a_point_and_its_velocity_tell_of_both_ends(clean_at_end):
    clean, noise, t = _arrays()
    path = ComponentPath(PATH, clean_at_end)
    point, velocity = path.interpolate(clean, noise, t), path.velocity(clean, noise, t)
    np.testing.assert_allclose(path.clean_from_velocity(point, velocity, t), clean, atol=1e-4)
    np.testing.assert_allclose(path.noise_from_velocity(point, velocity, t), noise, atol=1e-4)


@both_directions
def test_clean_data_tells_the_velocity_away_from_the_pole(clean_at_end):
    clean, noise, t = (array[1:3] for array in _arrays())
    path = ComponentPath(PATH, clean_at_end)
    point = path.interpolate(clean, noise, t)
    told = path.velocity_from_clean(point, clean, t)
    np.testing.assert_allclose(told, path.velocity(clean, noise, t), rtol=1e-4, atol=1e-4)


@both_directions
def test_velocities_are_finite_at_both_ends(clean_at_end):
    clean, point, _ = _arrays()
    path = ComponentPath(PATH, clean_at_end)
    t = jnp.asarray([0.0, 1e-6, 0.5, 1.0 - 1e-6, 1.0])
    assert np.isfinite(path.velocity_from_clean(point, clean, t)).all()


def test_a_path_without_noise_at_its_end_is_refused():
    with pytest.raises(ValueError, match=r"sigma_min is 0\.0; .* needs it above 0, such as 1e-3"):
        DiffusionPath(0.0)
