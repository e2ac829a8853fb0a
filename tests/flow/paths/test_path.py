"""The path of a component, both from noise to data and from data to noise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.paths.linear import LinearPath
from symmflow_jax.flow.paths.path import ComponentPath
from symmflow_jax.flow.state import JointState, map_components
from symmflow_jax.methods.symmflow import component_paths

SHAPES = ((4, 3, 3), (4, 3, 1))
both_directions = pytest.mark.parametrize("clean_at_end", [True, False])
several_sigmas = pytest.mark.parametrize("sigma_min", [0.0, 1e-4, 0.1])
several_times = pytest.mark.parametrize("time", [0.0, 0.1, 0.5, 0.9, 1.0])


def components(seed, batch):
    keys = jax.random.split(jax.random.key(seed), 2)
    return JointState(
        *(jax.random.normal(k, (batch, *shape)) for k, shape in zip(keys, SHAPES, strict=True))
    )


def interpolate(path, data, noise, times):
    paths = component_paths(path, path)
    return map_components(lambda path, *at: path.interpolate(*at), paths, data, noise, times)


def constant_times(batch, image, semantics):
    return JointState(jnp.full(batch, image, jnp.float32), jnp.full(batch, semantics, jnp.float32))


def clean_and_noise(batch=3):
    return jax.random.normal(jax.random.key(0), (2, batch, 2, 2, 3))


def test_at_zero_the_image_is_noise_and_the_semantics_are_clean():
    data, noise = components(0, 2), components(1, 2)
    state = interpolate(LinearPath(), data, noise, constant_times(2, 0.0, 0.0))
    np.testing.assert_array_equal(state.image, noise.image)
    np.testing.assert_array_equal(state.semantics, data.semantics)


@several_sigmas
def test_at_one_sigma_min_of_the_start_is_left(sigma_min):
    data, noise = components(0, 2), components(1, 2)
    state = interpolate(LinearPath(sigma_min), data, noise, constant_times(2, 1.0, 1.0))
    np.testing.assert_allclose(state.image - data.image, sigma_min * noise.image, rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        state.semantics - noise.semantics, sigma_min * data.semantics, rtol=0, atol=1e-6
    )


def test_known_values():
    data = JointState(jnp.asarray([[1.0]]), jnp.asarray([[-2.0]]))
    noise = JointState(jnp.asarray([[3.0]]), jnp.asarray([[4.0]]))
    path = LinearPath(sigma_min=0.5)
    times = constant_times(1, 0.5, 0.25)
    state = interpolate(path, data, noise, times)
    # 0.75 of the noise 3 and half the data 1; 0.875 of the data -2 and a quarter of the noise 4.
    np.testing.assert_allclose(state.image, [[2.75]])
    np.testing.assert_allclose(state.semantics, [[-0.75]])
    image, semantics = component_paths(path, path)
    image_velocity = image.velocity(data.image, noise.image, times.image)
    np.testing.assert_allclose(image_velocity, [[-0.5]])
    semantics_velocity = semantics.velocity(data.semantics, noise.semantics, times.semantics)
    np.testing.assert_allclose(semantics_velocity, [[5.0]])


@pytest.mark.parametrize(
    ("clean_at_end", "clean", "noise"),
    # Half a unit of time after the point 4, which moves by 6 a unit, 7; and half before it, 1.
    [(True, 7.0, 1.0), (False, 1.0, 7.0)],
)
def test_what_a_point_and_its_velocity_tell(clean_at_end, clean, noise):
    path = ComponentPath(LinearPath(sigma_min=0.0), clean_at_end)
    point, velocity, t = jnp.asarray([[4.0]]), jnp.asarray([[6.0]]), jnp.asarray([0.5])
    np.testing.assert_allclose(path.clean_from_velocity(point, velocity, t), [[clean]])
    np.testing.assert_allclose(path.noise_from_velocity(point, velocity, t), [[noise]])
    np.testing.assert_allclose(path.velocity_from_clean(point, jnp.asarray([[clean]]), t), velocity)


@both_directions
@several_sigmas
@several_times
def test_velocity_is_the_time_derivative_of_the_interpolant(clean_at_end, sigma_min, time):
    clean, noise = clean_and_noise()
    path = ComponentPath(LinearPath(sigma_min), clean_at_end)
    t = jnp.full(3, time)
    _, derivative = jax.jvp(lambda t: path.interpolate(clean, noise, t), (t,), (jnp.ones(3),))
    np.testing.assert_allclose(derivative, path.velocity(clean, noise, t), atol=1e-6)


@both_directions
@several_sigmas
@several_times
def test_a_point_and_its_velocity_tell_of_both_ends(clean_at_end, sigma_min, time):
    clean, noise = clean_and_noise()
    path = ComponentPath(LinearPath(sigma_min), clean_at_end)
    t = jnp.full(3, time)
    point, velocity = path.interpolate(clean, noise, t), path.velocity(clean, noise, t)
    np.testing.assert_allclose(path.clean_from_velocity(point, velocity, t), clean, atol=1e-5)
    np.testing.assert_allclose(path.noise_from_velocity(point, velocity, t), noise, atol=1e-5)


@both_directions
@several_sigmas
@pytest.mark.parametrize("distance", [0.02, 0.1, 0.5, 0.9, 1.0])
def test_clean_data_tells_the_velocity_away_from_the_pole(clean_at_end, sigma_min, distance):
    clean, noise = clean_and_noise()
    path = ComponentPath(LinearPath(sigma_min), clean_at_end)
    t = jnp.full(3, 1.0 - distance if clean_at_end else distance)
    point = path.interpolate(clean, noise, t)
    velocity = path.velocity_from_clean(point, clean, t)
    np.testing.assert_allclose(velocity, path.velocity(clean, noise, t), atol=1e-6 / distance)


@both_directions
@several_sigmas
def test_clean_data_and_velocity_are_each_others_inverse_at_any_point(clean_at_end, sigma_min):
    clean, point = clean_and_noise()
    path = ComponentPath(LinearPath(sigma_min), clean_at_end)
    t = jnp.asarray([0.1, 0.4, 0.9])
    velocity = path.velocity_from_clean(point, clean, t)
    np.testing.assert_allclose(path.clean_from_velocity(point, velocity, t), clean, atol=1e-5)
    velocity = jax.random.normal(jax.random.key(1), point.shape)
    told = path.clean_from_velocity(point, velocity, t)
    np.testing.assert_allclose(path.velocity_from_clean(point, told, t), velocity, atol=1e-5)


@both_directions
@several_sigmas
def test_where_a_path_is_known_by_one_point_it_is_known_everywhere(clean_at_end, sigma_min):
    point, velocity = clean_and_noise()
    path = ComponentPath(LinearPath(sigma_min), clean_at_end)
    t = jnp.asarray([0.0, 0.3, 1.0])
    ends = (
        path.clean_from_velocity(point, velocity, t),
        path.noise_from_velocity(point, velocity, t),
    )
    np.testing.assert_allclose(path.interpolate(*ends, t), point, atol=1e-5)
    np.testing.assert_allclose(path.velocity(*ends, t), velocity, atol=1e-5)


@both_directions
@several_sigmas
@pytest.mark.parametrize("distance", [0.0, 1e-6, 1e-3])
def test_velocity_and_gradients_are_finite_at_the_pole(clean_at_end, sigma_min, distance):
    clean, point = clean_and_noise()
    path = ComponentPath(LinearPath(sigma_min), clean_at_end)
    t = jnp.full(3, 1.0 - distance if clean_at_end else distance)

    def total(*arguments):
        return jnp.sum(path.velocity_from_clean(*arguments))

    value, gradients = jax.value_and_grad(total, argnums=(0, 1, 2))(point, clean, t)
    assert np.isfinite(value)
    for gradient in gradients:
        assert np.isfinite(gradient).all()


def test_each_component_and_each_example_has_a_time_of_its_own():
    data, noise = components(0, 3), components(1, 3)
    times = JointState(jnp.asarray([0.1, 0.5, 0.9]), jnp.asarray([0.8, 0.2, 0.4]))
    together = interpolate(LinearPath(), data, noise, times)
    for index in range(3):
        pick = lambda tree, i=index: jax.tree.map(lambda leaf: leaf[i : i + 1], tree)  # noqa: E731
        alone = interpolate(LinearPath(), pick(data), pick(noise), pick(times))
        jax.tree.map(np.testing.assert_array_equal, pick(together), alone)
    other = interpolate(LinearPath(), data, noise, times._replace(semantics=times.image))
    np.testing.assert_array_equal(other.image, together.image)
    assert np.all(other.semantics != together.semantics)
