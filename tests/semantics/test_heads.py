"""What the network's output means, against cases worked by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.solvers import EULER, FixedSteps
from symmflow_jax.flow.state import JointState
from symmflow_jax.semantics.heads import CategoricalHead, VelocityHead
from symmflow_jax.semantics.one_hot import OneHot

MASK = CategoricalHead(OneHot(3))
PLANE = CategoricalHead(OneHot(3, (2, 2)))
# Half, a quarter and a quarter.
LOGITS = jnp.log(jnp.asarray([2.0, 1.0, 1.0]))


def _noise(*shape: int) -> jax.Array:
    return jax.random.normal(jax.random.key(0), shape)


@pytest.mark.parametrize("amplitude", [1.0, 8.0])
def test_a_certain_class_leads_to_its_code(amplitude):
    labels = jnp.asarray([[0, 2], [1, 1]])
    head = CategoricalHead(OneHot(3), amplitude)
    logits = 100.0 * jax.nn.one_hot(labels, 3)
    code = amplitude * np.asarray([[[1, -1, -1], [-1, -1, 1]], [[-1, 1, -1], [-1, 1, -1]]])
    state = _noise(2, 2, 3)
    velocity = head.velocity(logits, state, jnp.asarray([0.25, 1.0]))
    np.testing.assert_allclose(velocity[0], (state[0] - code[0]) * 4, atol=1e-4)
    np.testing.assert_allclose(velocity[1], state[1] - code[1], atol=1e-4)


@pytest.mark.parametrize("num_steps", [1, 2, 7])
def test_euler_steps_end_on_the_mean_code(num_steps):
    def dynamics(state, s):
        output = jnp.broadcast_to(LOGITS, state.semantics.shape)
        return JointState(jnp.zeros_like(state.image), MASK.velocity(output, state.semantics, s))

    start = JointState(jnp.zeros((2, 1)), _noise(2, 3))
    end = FixedSteps(EULER, num_steps)(dynamics, start, 1.0, 0.0).state.semantics
    np.testing.assert_allclose(end, [[0.0, -0.5, -0.5]] * 2, atol=1e-5)


def test_cross_entropy_by_hand():
    output = jnp.broadcast_to(LOGITS, (2, 1, 2, 3))
    labels = jnp.asarray([[[0, 1]], [[0, 0]]])
    target = jnp.full(output.shape, 99.0)  # No velocity has to be met.
    expected = np.asarray([(np.log(2) + np.log(4)) / 2, np.log(2)])
    np.testing.assert_allclose(MASK.loss(output, target, labels), expected, rtol=1e-6)
    heavier = CategoricalHead(OneHot(3), loss_weight=0.25)
    np.testing.assert_allclose(heavier.loss(output, target, labels), 0.25 * expected, rtol=1e-6)


def test_logits_of_one_label_are_averaged_over_its_plane():
    output = jnp.broadcast_to(LOGITS, (1, 2, 2, 3))
    uneven = output.at[:, :1].add(_noise(1, 1, 2, 3))
    uneven = uneven.at[:, 1:].add(-_noise(1, 1, 2, 3))  # The mean stays.
    state, t = _noise(1, 2, 2, 3), jnp.asarray([0.5])
    labels = jnp.asarray([2])
    np.testing.assert_allclose(PLANE.loss(uneven, state, labels), [np.log(4)], rtol=1e-5)
    velocity = PLANE.velocity(uneven, state, t)
    np.testing.assert_allclose(velocity, PLANE.velocity(output, state, t), atol=1e-5)
    # One code for all of the plane.
    codes = state - 0.5 * velocity
    np.testing.assert_allclose(codes, np.broadcast_to([0, -0.5, -0.5], codes.shape), atol=1e-5)


def test_velocity_and_gradient_are_finite_at_the_clean_end():
    def total(output, t):
        return jnp.sum(MASK.velocity(output, jnp.ones_like(output), t))

    output = _noise(2, 3)
    value, gradients = jax.value_and_grad(total, argnums=(0, 1))(output, jnp.zeros(2))
    assert np.isfinite(value)
    for gradient in gradients:
        assert np.isfinite(gradient).all()


def test_a_bfloat16_output_counts_in_float32():
    output = LOGITS[None].astype(jnp.bfloat16)
    velocity = MASK.velocity(output, _noise(1, 3), jnp.asarray(0.5))
    loss = MASK.loss(output, _noise(1, 3), jnp.asarray([1]))
    assert velocity.dtype == jnp.float32 and loss.dtype == jnp.float32
    np.testing.assert_allclose(loss, [np.log(4)], rtol=0.01)


def test_the_velocity_itself_is_taken_as_it_is():
    output, target = _noise(2, 2, 3), jnp.zeros((2, 2, 3))
    head = VelocityHead()
    np.testing.assert_array_equal(head.velocity(output, target, jnp.asarray(0.5)), output)
    loss = head.loss(output, target, jnp.zeros((2, 2), jnp.int32))
    np.testing.assert_allclose(loss, np.mean(np.square(output), axis=(1, 2)), rtol=1e-5)
