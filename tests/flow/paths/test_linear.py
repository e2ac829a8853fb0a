import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.paths.linear import LinearPath

pytestmark = pytest.mark.slow

SHAPES = st.sampled_from([(2,), (4, 3, 3), (2, 2, 5), ()])


def endpoints(seed, batch, shape):
    return jax.random.normal(jax.random.key(seed), (2, batch, *shape))


def test_at_zero_the_path_is_at_its_start():
    start, end = endpoints(0, 2, (4, 3, 1))
    np.testing.assert_array_equal(LinearPath().interpolate(start, end, jnp.zeros(2)), start)


@pytest.mark.parametrize("sigma_min", [0.0, 1e-4, 0.1])
def test_at_one_sigma_min_of_the_start_is_left(sigma_min):
    start, end = endpoints(0, 2, (4, 3, 3))
    point = LinearPath(sigma_min).interpolate(start, end, jnp.ones(2))
    np.testing.assert_allclose(point - end, sigma_min * start, rtol=0, atol=1e-6)


def test_known_values():
    path = LinearPath(sigma_min=0.5)
    start, end = jnp.asarray([[3.0], [-2.0]]), jnp.asarray([[1.0], [4.0]])
    t = jnp.asarray([0.5, 0.25])
    # 0.75 of the start 3 and half the end 1; 0.875 of the start -2 and a quarter of the end 4.
    point = path.interpolate(start, end, t)
    np.testing.assert_allclose(point, [[2.75], [-0.75]])
    velocity = path.velocity(start, end, t)
    np.testing.assert_allclose(velocity, [[-0.5], [5.0]])
    np.testing.assert_allclose(path.velocity_from_start(point, start, t), velocity, rtol=1e-6)
    np.testing.assert_allclose(path.velocity_from_end(point, end, t), velocity, rtol=1e-6)
    np.testing.assert_allclose(path.start_from_velocity(point, velocity, t), start, rtol=1e-6)
    np.testing.assert_allclose(path.end_from_velocity(point, velocity, t), end, rtol=1e-6)


@hypothesis.given(
    shape=SHAPES,
    seed=st.integers(0, 100),
    time=st.floats(0, 1, width=32),
    sigma_min=st.sampled_from([0.0, 1e-4, 0.3]),
)
@hypothesis.settings(max_examples=10)
def test_velocity_is_the_time_derivative_of_the_interpolant(shape, seed, time, sigma_min):
    start, end = endpoints(seed, 3, shape)
    path = LinearPath(sigma_min)
    t = jnp.full(3, time, jnp.float32)
    _, derivative = jax.jvp(lambda t: path.interpolate(start, end, t), (t,), (jnp.ones(3),))
    np.testing.assert_allclose(derivative, path.velocity(start, end, t), atol=1e-6)


@pytest.mark.parametrize("sigma_min", [0.0, 0.1])
def test_each_example_has_a_time_of_its_own(sigma_min):
    path = LinearPath(sigma_min)
    start, end = endpoints(0, 3, (2, 2, 3))
    t = jnp.asarray([0.1, 0.5, 0.9])
    functions = (
        path.interpolate,
        path.velocity_from_start,
        path.velocity_from_end,
        path.start_from_velocity,
        path.end_from_velocity,
    )
    for function in functions:
        together = function(start, end, t)
        for index in range(3):
            alone = function(start[index : index + 1], end[index : index + 1], t[index])
            np.testing.assert_allclose(together[index : index + 1], alone, rtol=1e-6)


def test_times_near_a_pole_count_as_the_margin():
    path = LinearPath(sigma_min=0.0, pole_margin=0.25)
    point, other = jnp.full((3, 1), 5.0), jnp.full((3, 1), 3.0)
    # A way of 2 in a quarter of the time, and in half of it.
    away = path.velocity_from_start(point, other, jnp.asarray([0.0, 0.25, 0.5]))
    np.testing.assert_allclose(away, [[8.0], [8.0], [4.0]])
    towards = path.velocity_from_end(point, other, jnp.asarray([1.0, 0.75, 0.5]))
    np.testing.assert_allclose(towards, [[-8.0], [-8.0], [-4.0]])
