import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.objective import symmetric_loss
from symmflow_jax.flow.path import LinearPath, velocity_target
from symmflow_jax.flow.state import JointState
from symmflow_jax.flow.time_sampling import TrainingTimes

PATH = LinearPath()
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


def zero_velocity(state, times):
    return jax.tree.map(jnp.zeros_like, state)


def test_a_perfect_velocity_costs_nothing():
    data, noise, times = example()
    target = velocity_target(PATH, data, noise)
    losses = symmetric_loss(lambda state, times: target, PATH, data, noise, times, 0.9)
    for part in losses:
        np.testing.assert_array_equal(part, jnp.zeros(BATCH))


def test_the_velocity_is_asked_at_the_interpolant_and_its_times():
    data, noise, times = example()
    asked = []

    def velocity(state, times):
        asked.append((state, times))
        return state

    symmetric_loss(velocity, PATH, data, noise, times, 0.9)
    ((state, asked_times),) = asked
    jax.tree.map(np.testing.assert_array_equal, asked_times, times.times)
    # Going on along the target for the rest of the time ends at the data, up to sigma_min.
    target = velocity_target(PATH, data, noise)
    rest = jnp.reshape(1 - times.times.image, (BATCH, 1, 1, 1))
    end = state.image + rest * target.image
    np.testing.assert_allclose(end, data.image + 1e-4 * noise.image, atol=1e-5)


@pytest.mark.parametrize(("weight", "part"), [(1.0, "image"), (0.0, "semantics")])
def test_weights_one_and_zero_select_a_part(weight, part):
    losses = symmetric_loss(zero_velocity, PATH, *example(), weight)
    np.testing.assert_array_equal(losses.total, getattr(losses, part))


def test_known_value():
    data = JointState(jnp.full((1, 2, 2, 3), 0.5), jnp.full((1, 2, 2, 1), -1.0))
    noise = JointState(jnp.full((1, 2, 2, 3), -1.5), jnp.full((1, 2, 2, 1), 2.0))
    times = tied(jnp.asarray([0.5]))
    path = LinearPath(sigma_min=0.0)
    # Targets: 0.5 - -1.5 = 2 and 2 - -1 = 3, so that zero costs 4 and 9: 0.75 * 4 + 0.25 * 9.
    losses = symmetric_loss(zero_velocity, path, data, noise, times, 0.75)
    np.testing.assert_allclose(losses, [[5.25], [4.0], [9.0]])


def test_parts_are_means_whatever_the_number_of_entries():
    data, noise, times = example()
    doubled = jax.tree.map(lambda leaf: jnp.concatenate([leaf, leaf], axis=1), (data, noise))
    once = symmetric_loss(zero_velocity, PATH, data, noise, times, 0.3)
    twice = symmetric_loss(zero_velocity, PATH, *doubled, times, 0.3)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), once, twice)


def test_examples_do_not_mix():
    data, noise, times = example()
    together = symmetric_loss(zero_velocity, PATH, data, noise, times, 0.9)
    data, noise, times = jax.tree.map(lambda leaf: leaf[1:2], (data, noise, times))
    alone = symmetric_loss(zero_velocity, PATH, data, noise, times, 0.9)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[1:2], b, rtol=1e-6), together, alone)


def test_losses_are_float32_of_bfloat16_predictions():
    data, noise, times = example()
    target = velocity_target(PATH, data, noise)
    rounded = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), target)
    losses = symmetric_loss(lambda state, times: rounded, PATH, data, noise, times, 0.9)
    for part in losses:
        assert part.dtype == jnp.float32
        # The error of rounding is seen only if the target was not rounded as well.
        assert jnp.all((part > 0) & (part < 1e-3))


def test_what_is_not_learned_costs_nothing():
    data, noise, drawn = example()
    learned = JointState(jnp.asarray([1.0, 0.0, 1.0]), jnp.asarray([1.0, 1.0, 0.0]))
    losses = symmetric_loss(zero_velocity, PATH, data, noise, drawn._replace(learned=learned), 0.5)
    np.testing.assert_array_equal(losses.image > 0, [True, False, True])
    np.testing.assert_array_equal(losses.semantics > 0, [True, True, False])


def test_semantics_may_have_a_loss_of_their_own():
    def first_entry(output, target):
        return jnp.abs(output - target)[:, 0, 0, 0]

    data, noise, drawn = example()
    losses = symmetric_loss(zero_velocity, PATH, data, noise, drawn, 0.25, first_entry)
    expected = np.abs(velocity_target(PATH, data, noise).semantics[:, 0, 0, 0])
    np.testing.assert_allclose(losses.semantics, expected)
    np.testing.assert_allclose(losses.total, 0.25 * losses.image + 0.75 * losses.semantics)
