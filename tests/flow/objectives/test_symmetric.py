import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.objectives.symmetric import symmetric_loss
from symmflow_jax.flow.parameterizations.velocity import VelocityParameterization
from symmflow_jax.flow.paths.linear import LinearPath
from symmflow_jax.flow.state import JointState, map_components
from symmflow_jax.flow.time_sampling import TrainingTimes
from symmflow_jax.methods.symmflow import component_paths

PATHS = component_paths(LinearPath(), LinearPath())
VELOCITIES = JointState(VelocityParameterization(), VelocityParameterization())
BATCH = 3


def example():
    keys = jax.random.split(jax.random.key(0), 5)
    x_shape, y_shape = (BATCH, 4, 4, 3), (BATCH, 4, 4, 1)
    data = JointState(jax.random.normal(keys[0], x_shape), jax.random.normal(keys[1], y_shape))
    noise = JointState(jax.random.normal(keys[2], x_shape), jax.random.normal(keys[3], y_shape))
    t = jax.random.uniform(keys[4], (BATCH,))
    return data, noise, tied(t)


def tied(t):
    return TrainingTimes(JointState(t, t), JointState(jnp.ones_like(t), jnp.ones_like(t)))


def loss(network, data, noise, drawn, image_weight, paths=PATHS, parameterizations=VELOCITIES):
    """With weights that add up to 1, and the number of each example as its label."""
    weights = JointState(image_weight, 1.0 - image_weight)
    labels = jnp.arange(drawn.times.image.size)
    return symmetric_loss(network, paths, parameterizations, weights, data, noise, labels, drawn)


def velocity_target(data, noise, drawn):
    return map_components(
        lambda path, *arguments: path.velocity(*arguments), PATHS, data, noise, drawn.times
    )


def zero_velocity(state, times):
    return jax.tree.map(jnp.zeros_like, state)


def test_a_perfect_velocity_costs_nothing():
    data, noise, drawn = example()
    target = velocity_target(data, noise, drawn)
    losses = loss(lambda state, times: target, data, noise, drawn, 0.9)
    for part in losses:
        np.testing.assert_array_equal(part, jnp.zeros(BATCH))


def test_the_network_is_asked_at_the_interpolant_and_its_times():
    data, noise, drawn = example()
    asked = []

    def velocity(state, times):
        asked.append((state, times))
        return state

    loss(velocity, data, noise, drawn, 0.9)
    ((state, asked_times),) = asked
    jax.tree.map(np.testing.assert_array_equal, asked_times, drawn.times)
    # Going on along the target for the rest of the time ends at the data, up to sigma_min.
    target = velocity_target(data, noise, drawn)
    rest = jnp.reshape(1 - drawn.times.image, (BATCH, 1, 1, 1))
    end = state.image + rest * target.image
    np.testing.assert_allclose(end, data.image + 1e-4 * noise.image, atol=1e-5)
    # And back to the start, the clean semantics.
    passed = jnp.reshape(drawn.times.semantics, (BATCH, 1, 1, 1))
    start = state.semantics - passed * target.semantics
    np.testing.assert_allclose(start, data.semantics, atol=1e-5)


@pytest.mark.parametrize(("weight", "part"), [(1.0, "image"), (0.0, "semantics")])
def test_weights_one_and_zero_select_a_part(weight, part):
    losses = loss(zero_velocity, *example(), weight)
    np.testing.assert_array_equal(losses.total, getattr(losses, part))


def known_example():
    """Targets, where nothing of the start is left: 0.5 - -1.5 = 2 and 2 - -1 = 3."""
    data = JointState(jnp.full((1, 2, 2, 3), 0.5), jnp.full((1, 2, 2, 1), -1.0))
    noise = JointState(jnp.full((1, 2, 2, 3), -1.5), jnp.full((1, 2, 2, 1), 2.0))
    return data, noise, tied(jnp.asarray([0.5]))


def test_known_value():
    paths = component_paths(LinearPath(sigma_min=0.0), LinearPath(sigma_min=0.0))
    # Zero costs 4 and 9: 0.75 * 4 + 0.25 * 9.
    losses = loss(zero_velocity, *known_example(), 0.75, paths)
    np.testing.assert_allclose(losses, [[5.25], [4.0], [9.0]])


def test_weights_need_not_add_up_to_one():
    paths = component_paths(LinearPath(sigma_min=0.0), LinearPath(sigma_min=0.0))
    data, noise, drawn = known_example()
    labels, weights = jnp.zeros(1, jnp.int32), JointState(0.5, 2.0)
    losses = symmetric_loss(zero_velocity, paths, VELOCITIES, weights, data, noise, labels, drawn)
    np.testing.assert_allclose(losses, [[20.0], [4.0], [9.0]])


def test_each_component_has_a_path_of_its_own():
    # Semantics of which half is left: 2 - 0.5 * -1 = 2.5.
    paths = component_paths(LinearPath(sigma_min=0.0), LinearPath(sigma_min=0.5))
    losses = loss(zero_velocity, *known_example(), 0.5, paths)
    np.testing.assert_allclose(losses, [[5.125], [4.0], [6.25]])


def test_parts_are_means_whatever_the_number_of_entries():
    data, noise, drawn = example()
    doubled = jax.tree.map(lambda leaf: jnp.concatenate([leaf, leaf], axis=1), (data, noise))
    once = loss(zero_velocity, data, noise, drawn, 0.3)
    twice = loss(zero_velocity, *doubled, drawn, 0.3)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), once, twice)


def test_examples_do_not_mix():
    data, noise, drawn = example()
    together = loss(zero_velocity, data, noise, drawn, 0.9)
    data, noise, drawn = jax.tree.map(lambda leaf: leaf[1:2], (data, noise, drawn))
    alone = loss(zero_velocity, data, noise, drawn, 0.9)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[1:2], b, rtol=1e-6), together, alone)


def test_losses_are_float32_of_bfloat16_predictions():
    data, noise, drawn = example()
    target = velocity_target(data, noise, drawn)
    rounded = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), target)
    losses = loss(lambda state, times: rounded, data, noise, drawn, 0.9)
    for part in losses:
        assert part.dtype == jnp.float32
        # The error of rounding is seen only if the target was not rounded as well.
        assert jnp.all((part > 0) & (part < 1e-3))


def test_what_is_not_learned_costs_nothing():
    data, noise, drawn = example()
    learned = JointState(jnp.asarray([1.0, 0.0, 1.0]), jnp.asarray([1.0, 1.0, 0.0]))
    losses = loss(zero_velocity, data, noise, drawn._replace(learned=learned), 0.5)
    np.testing.assert_array_equal(losses.image > 0, [True, False, True])
    np.testing.assert_array_equal(losses.semantics > 0, [True, True, False])
    np.testing.assert_array_equal(losses.total[1:2], 0.5 * losses.semantics[1:2])
    np.testing.assert_array_equal(losses.total[2:], 0.5 * losses.image[2:])


class FirstEntry(VelocityParameterization):
    """Only the first entry of the velocity counts."""

    def loss(self, output, at, path):
        return jnp.abs(output - path.velocity(at.clean, at.noise, at.t))[:, 0, 0, 0]


def test_semantics_may_have_a_loss_of_their_own():
    data, noise, drawn = example()
    parameterizations = JointState(VelocityParameterization(), FirstEntry())
    losses = loss(zero_velocity, data, noise, drawn, 0.25, parameterizations=parameterizations)
    expected = np.abs(velocity_target(data, noise, drawn).semantics[:, 0, 0, 0])
    np.testing.assert_allclose(losses.semantics, expected)
    np.testing.assert_allclose(losses.total, 0.25 * losses.image + 0.75 * losses.semantics)


class Recording(VelocityParameterization):
    """Keeps what it was asked about."""

    def __init__(self):
        object.__setattr__(self, "asked", [])

    def loss(self, output, at, path):
        self.asked.append((output, at, path))
        return super().loss(output, at, path)


def test_a_loss_is_told_of_its_own_component():
    data, noise, drawn = example()
    parameterizations = JointState(Recording(), Recording())
    loss(lambda state, times: state, data, noise, drawn, 0.5, parameterizations=parameterizations)
    ((x, at_x, x_path),), ((y, at_y, y_path),) = (of.asked for of in parameterizations)
    assert x is at_x.point and y is at_y.point
    assert (at_x.clean, at_x.noise) == (data.image, noise.image)
    assert (at_y.clean, at_y.noise) == (data.semantics, noise.semantics)
    assert (at_x.t, at_y.t) == drawn.times
    assert (x_path, y_path) == PATHS
    assert at_x.labels is None
    np.testing.assert_array_equal(at_y.labels, [0, 1, 2])
