"""What the network's output means, against cases worked by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.parameterizations.parameterization import PathPoint
from symmflow_jax.flow.paths.linear import LinearPath
from symmflow_jax.flow.paths.path import ComponentPath
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.runge_kutta import EULER
from symmflow_jax.flow.state import JointState
from symmflow_jax.semantics.categorical import CategoricalParameterization
from symmflow_jax.semantics.one_hot import OneHot
from symmflow_jax.semantics.palette_mask import PaletteMask

pytestmark = pytest.mark.slow

PATH = ComponentPath(LinearPath(), clean_at_end=False)
MASK = CategoricalParameterization(OneHot(3))
PLANE = CategoricalParameterization(OneHot(3, (2, 2)))
# Half, a quarter and a quarter.
LOGITS = jnp.log(jnp.asarray([2.0, 1.0, 1.0]))


def _noise(*shape: int) -> jax.Array:
    return jax.random.normal(jax.random.key(0), shape)


def _labelled(labels: jax.Array, signal: jax.Array) -> PathPoint:
    """A point that leads anywhere: only its labels count."""
    return PathPoint(signal, signal, signal, jnp.full(labels.shape[:1], 0.5), labels)


@pytest.mark.parametrize("label_scale", [1.0, 8.0])
def test_a_certain_class_leads_to_its_code(label_scale):
    labels = jnp.asarray([[0, 2], [1, 1]])
    parameterization = CategoricalParameterization(OneHot(3), label_scale)
    logits = 100.0 * jax.nn.one_hot(labels, 3)
    code = label_scale * np.asarray([[[1, -1, -1], [-1, -1, 1]], [[-1, 1, -1], [-1, 1, -1]]])
    state = _noise(2, 2, 3)
    velocity = parameterization.velocity(logits, state, jnp.asarray([0.25, 1.0]), PATH)
    np.testing.assert_allclose(velocity[0], (state[0] - code[0]) * 4, atol=1e-4)
    np.testing.assert_allclose(velocity[1], state[1] - code[1], atol=1e-4)


@pytest.mark.parametrize("num_steps", [1, 2, 7])
def test_euler_steps_end_on_the_mean_code(num_steps):
    def dynamics(state, moment):
        output = jnp.broadcast_to(LOGITS, state.semantics.shape)
        velocity = MASK.velocity(output, state.semantics, moment.s, PATH)
        return JointState(jnp.zeros_like(state.image), velocity)

    start = JointState(jnp.zeros((2, 1)), _noise(2, 3))
    end = FixedSteps(EULER, num_steps)(dynamics, start, 1.0, 0.0).state.semantics
    np.testing.assert_allclose(end, [[0.0, -0.5, -0.5]] * 2, atol=1e-5)


def test_cross_entropy_by_hand():
    output = jnp.broadcast_to(LOGITS, (2, 1, 2, 3))
    labels = jnp.asarray([[[0, 1]], [[0, 0]]])
    at = _labelled(labels, jnp.full(output.shape, 99.0))  # No velocity has to be met.
    expected = np.asarray([(np.log(2) + np.log(4)) / 2, np.log(2)])
    np.testing.assert_allclose(MASK.loss(output, at, PATH), expected, rtol=1e-6)
    lighter = CategoricalParameterization(OneHot(3), 8.0, cross_entropy_weight=0.25)
    np.testing.assert_allclose(lighter.loss(output, at, PATH), 0.25 * expected, rtol=1e-6)


def test_logits_of_one_label_are_averaged_over_its_plane():
    output = jnp.broadcast_to(LOGITS, (1, 2, 2, 3))
    uneven = output.at[:, :1].add(_noise(1, 1, 2, 3))
    uneven = uneven.at[:, 1:].add(-_noise(1, 1, 2, 3))  # The mean stays.
    state, t = _noise(1, 2, 2, 3), jnp.asarray([0.5])
    at = _labelled(jnp.asarray([2]), state)
    np.testing.assert_allclose(PLANE.loss(uneven, at, PATH), [np.log(4)], rtol=1e-5)
    velocity = PLANE.velocity(uneven, state, t, PATH)
    np.testing.assert_allclose(velocity, PLANE.velocity(output, state, t, PATH), atol=1e-5)
    # One code for all of the plane.
    codes = state - 0.5 * velocity
    np.testing.assert_allclose(codes, np.broadcast_to([0, -0.5, -0.5], codes.shape), atol=1e-5)


def test_velocity_and_gradient_are_finite_at_the_clean_end():
    def total(output, t):
        return jnp.sum(MASK.velocity(output, jnp.ones_like(output), t, PATH))

    output = _noise(2, 3)
    value, gradients = jax.value_and_grad(total, argnums=(0, 1))(output, jnp.zeros(2))
    assert np.isfinite(value)
    for gradient in gradients:
        assert np.isfinite(gradient).all()


def test_a_bfloat16_output_counts_in_float32():
    output = LOGITS[None].astype(jnp.bfloat16)
    velocity = MASK.velocity(output, _noise(1, 3), jnp.asarray(0.5), PATH)
    loss = MASK.loss(output, _labelled(jnp.asarray([1]), _noise(1, 3)), PATH)
    assert velocity.dtype == jnp.float32 and loss.dtype == jnp.float32
    np.testing.assert_allclose(loss, [np.log(4)], rtol=0.01)


@pytest.mark.parametrize("sigma_min", [0.0, 1e-4, 0.1])
def test_the_code_of_a_certain_class_gives_the_velocity_of_its_path(sigma_min):
    path = ComponentPath(LinearPath(sigma_min), clean_at_end=False)
    code = jnp.asarray([[2.0, -2.0, -2.0], [-2.0, -2.0, 2.0]])
    noise, t = _noise(2, 3), jnp.asarray([0.2, 1.0])
    parameterization = CategoricalParameterization(OneHot(3), label_scale=2.0)
    point = path.interpolate(code, noise, t)
    velocity = parameterization.velocity(100.0 * code, point, t, path)
    np.testing.assert_allclose(velocity, path.velocity(code, noise, t), atol=1e-5)


def test_semantics_of_one_hot_codes_have_one():
    parameterization = CategoricalParameterization.of_component(OneHot(3), 8.0, 0.25)
    assert parameterization == CategoricalParameterization(OneHot(3), 8.0, 0.25)


@pytest.mark.parametrize("encoding", [None, PaletteMask(((0, 0, 0), (9, 9, 9)), 4.0)])
def test_images_and_other_codes_have_none(encoding):
    with pytest.raises(ValueError, match="'categorical' is for semantics of one-hot codes"):
        CategoricalParameterization.of_component(encoding, 1.0, 1.0)


def test_unknown_pixels_have_no_loss_and_no_gradient():
    parameterization = CategoricalParameterization(OneHot(3, has_unknown=True))
    labels = jnp.asarray([[0, -1, 2], [-1, -1, -1]])
    logits = _noise(2, 3, 3)
    loss = parameterization.loss(logits, _labelled(labels, logits), PATH)
    entropy = -jax.nn.log_softmax(logits[0])
    np.testing.assert_allclose(loss, [(entropy[0, 0] + entropy[2, 2]) / 2, 0.0], rtol=1e-6)

    def total(logits):
        return jnp.sum(parameterization.loss(logits, _labelled(labels, logits), PATH))

    gradient = jax.grad(total)(logits)
    assert not np.any(np.asarray(gradient)[np.asarray(labels) < 0])
    assert np.all(np.any(np.asarray(gradient)[np.asarray(labels) >= 0], axis=-1))


def test_known_labels_cost_the_same_whether_others_may_be_unknown():
    labels, logits = jnp.asarray([[0, 1, 2]]), _noise(1, 3, 3)
    at = _labelled(labels, logits)
    may_be = CategoricalParameterization(OneHot(3, has_unknown=True))
    np.testing.assert_allclose(
        may_be.loss(logits, at, PATH), MASK.loss(logits, at, PATH), rtol=1e-6
    )


def test_class_weights_multiply_the_pixels_of_their_class():
    labels, logits = jnp.asarray([[0, 1, 1]]), _noise(1, 3, 3)
    weighted = CategoricalParameterization(OneHot(3), class_weights=(4.0, 0.5, 1.0))
    entropy = -jax.nn.log_softmax(logits[0])[jnp.arange(3), labels[0]]
    expected = (4 * entropy[0] + 0.5 * entropy[1] + 0.5 * entropy[2]) / 3
    np.testing.assert_allclose(
        weighted.loss(logits, _labelled(labels, logits), PATH), [expected], rtol=1e-6
    )
