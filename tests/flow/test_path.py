import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.path import LinearPath, interpolate, velocity_target
from symmflow_jax.flow.state import JointState

SHAPES = st.sampled_from([((2,), (1,)), ((4, 3, 3), (4, 3, 1)), ((2, 2, 1), (2, 2, 5))])


def leaves(seed, batch, shapes):
    keys = jax.random.split(jax.random.key(seed), 2)
    return JointState(
        *(jax.random.normal(k, (batch, *shape)) for k, shape in zip(keys, shapes, strict=True))
    )


def constant_times(batch, image, semantics):
    return JointState(jnp.full(batch, image, jnp.float32), jnp.full(batch, semantics, jnp.float32))


def test_at_zero_the_image_is_noise_and_the_semantics_are_clean():
    shapes = ((4, 3, 3), (4, 3, 1))
    data, noise = leaves(0, 2, shapes), leaves(1, 2, shapes)
    state = interpolate(LinearPath(), data, noise, constant_times(2, 0.0, 0.0))
    np.testing.assert_array_equal(state.image, noise.image)
    np.testing.assert_array_equal(state.semantics, data.semantics)


@pytest.mark.parametrize("sigma_min", [0.0, 1e-4, 0.1])
def test_at_one_sigma_min_of_the_start_is_left(sigma_min):
    shapes = ((4, 3, 3), (4, 3, 1))
    data, noise = leaves(0, 2, shapes), leaves(1, 2, shapes)
    state = interpolate(LinearPath(sigma_min), data, noise, constant_times(2, 1.0, 1.0))
    np.testing.assert_allclose(state.image - data.image, sigma_min * noise.image, rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        state.semantics - noise.semantics, sigma_min * data.semantics, rtol=0, atol=1e-6
    )


def test_known_values():
    data = JointState(jnp.asarray([[1.0]]), jnp.asarray([[-2.0]]))
    noise = JointState(jnp.asarray([[3.0]]), jnp.asarray([[4.0]]))
    path = LinearPath(sigma_min=0.5)
    state = interpolate(path, data, noise, constant_times(1, 0.5, 0.25))
    # 0.75 of the noise 3 and half the data 1; 0.875 of the data -2 and a quarter of the noise 4.
    np.testing.assert_allclose(state.image, [[2.75]])
    np.testing.assert_allclose(state.semantics, [[-0.75]])
    velocity = velocity_target(path, data, noise)
    np.testing.assert_allclose(velocity.image, [[-0.5]])
    np.testing.assert_allclose(velocity.semantics, [[5.0]])


@hypothesis.given(
    shapes=SHAPES,
    seed=st.integers(0, 100),
    times=st.tuples(st.floats(0, 1, width=32), st.floats(0, 1, width=32)),
    sigma_min=st.sampled_from([0.0, 1e-4, 0.3]),
)
@hypothesis.settings(max_examples=10)
def test_velocity_is_the_time_derivative_of_the_interpolant(shapes, seed, times, sigma_min):
    data, noise = leaves(seed, 3, shapes), leaves(seed + 1, 3, shapes)
    path = LinearPath(sigma_min)
    at = constant_times(3, *times)
    _, derivative = jax.jvp(
        lambda t: interpolate(path, data, noise, t), (at,), (constant_times(3, 1.0, 1.0),)
    )
    target = velocity_target(path, data, noise)
    jax.tree.map(lambda d, v: np.testing.assert_allclose(d, v, atol=1e-6), derivative, target)


def test_each_leaf_and_each_example_has_a_time_of_its_own():
    shapes = ((2, 2, 3), (2, 2, 1))
    data, noise = leaves(0, 3, shapes), leaves(1, 3, shapes)
    times = JointState(jnp.asarray([0.1, 0.5, 0.9]), jnp.asarray([0.8, 0.2, 0.4]))
    together = interpolate(LinearPath(), data, noise, times)
    for index in range(3):
        pick = lambda tree, i=index: jax.tree.map(lambda leaf: leaf[i : i + 1], tree)  # noqa: E731
        alone = interpolate(LinearPath(), pick(data), pick(noise), pick(times))
        jax.tree.map(np.testing.assert_array_equal, pick(together), alone)
    other = interpolate(LinearPath(), data, noise, times._replace(semantics=times.image))
    np.testing.assert_array_equal(other.image, together.image)
    assert np.all(other.semantics != together.semantics)
