"""The objective of a flow map on a Gaussian, and what becomes of it where there is no span."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.objectives.flow_map import FlowMapObjective
from symmflow_jax.flow.objectives.objective import Networks
from symmflow_jax.flow.objectives.symmetric import SymmetricObjective
from symmflow_jax.flow.parameterizations.velocity import VelocityParameterization
from symmflow_jax.flow.paths.linear import LinearPath
from symmflow_jax.flow.paths.path import ComponentPath
from symmflow_jax.flow.state import JointState
from symmflow_jax.flow.time_sampling import TrainingTimes

_PATH = LinearPath(sigma_min=0.0)
_PATHS = JointState(ComponentPath(_PATH, True), ComponentPath(_PATH, False))
_VELOCITIES = JointState(VelocityParameterization(), VelocityParameterization())
_WEIGHTS = JointState(1.0, 0.5)
_MEAN, _SCALE = 0.7, 0.4


def _column(t):
    return jnp.reshape(t, (-1, 1))


def _mapped(state, times, span):
    """The map of a Gaussian's flow from standard normal noise, as a network would give it."""
    t, d = _column(times.image), _column(span)
    deviation = [jnp.sqrt(jnp.square(1 - s) + jnp.square(_SCALE * s)) for s in (t, t + d)]
    end = _MEAN * (t + d) + deviation[1] * (state.image - _MEAN * t) / deviation[0]
    rate = (_SCALE**2 * t - (1 - t)) / jnp.square(deviation[0])
    velocity = _MEAN + rate * (state.image - _MEAN * t)
    jump = (end - state.image) / jnp.where(d == 0, 1.0, d)
    return JointState(jnp.where(d == 0, velocity, jump), jnp.zeros_like(state.semantics))


def _velocity(state, times):
    return _mapped(state, times, jnp.zeros_like(times.image))


def _cubic(scale):
    """An output that depends on everything, with a parameter."""

    def output(state, times, span):
        t, d = _column(times.image), _column(span)
        image = scale * jnp.tanh(state.image * (1 + t) + d) + d * t
        return JointState(image, state.semantics * _column(times.semantics))

    return output


def _drawn(span, semantics_time=0.0, count=32):
    t = jax.random.uniform(jax.random.key(1), (count,), maxval=0.8)
    times = JointState(t, jnp.full(count, semantics_time))
    ones = jnp.ones(count)
    return TrainingTimes(times, JointState(ones, ones), span * (1.0 - t))


def _losses(objective, output, drawn, teacher=None):
    count = len(drawn.span)
    keys = jax.random.split(jax.random.key(0), 5)
    data, noise = (
        JointState(jax.random.normal(a, (count, 3)), jax.random.normal(b, (count, 2)))
        for a, b in (keys[:2], keys[2:4])
    )
    networks = Networks(
        output, output, output, teacher, lambda: jax.random.normal(keys[4], (count, 2))
    )
    labels = jnp.zeros(count, jnp.int32)
    return objective.losses(
        networks, _PATHS, _VELOCITIES, _WEIGHTS, data, noise, labels, drawn
    )  # fmt: skip


@pytest.mark.parametrize("span", [0.0, 0.3, 1.0])
def test_the_map_of_the_teacher_has_no_loss(span):
    losses = _losses(FlowMapObjective(), _mapped, _drawn(span), _velocity)
    np.testing.assert_allclose(losses.image, 0.0, atol=1e-7)
    # Another network has one.
    assert _losses(FlowMapObjective(), _cubic(1.0), _drawn(span), _velocity).image.min() > 1e-3


def test_the_map_of_the_data_has_the_loss_of_its_velocity():
    """What is left is the variance of the data's velocity, whatever the span."""
    losses = [_losses(FlowMapObjective(), _mapped, _drawn(span)).image for span in (0.0, 0.3, 1.0)]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-3)
    np.testing.assert_allclose(losses[2], losses[0], rtol=1e-3)


def test_without_a_span_it_is_the_loss_of_the_flow_up_to_a_weight():
    drawn = _drawn(0.0, semantics_time=0.4)

    def of(objective, scale, pick):
        return pick(_losses(objective, _cubic(scale), drawn))

    for name in ("image", "semantics"):
        ours, theirs = (
            of(objective, 1.0, lambda losses, n=name: getattr(losses, n))
            for objective in (FlowMapObjective(), SymmetricObjective())
        )
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    # Of one example at a time: the gradient by the parameter has the weight 1 / (error + 0.01).
    jacobian = jax.jacobian(lambda s: of(FlowMapObjective(), s, lambda losses: losses.total))
    plain = jax.jacobian(lambda s: of(SymmetricObjective(), s, lambda losses: losses.image))
    error = of(SymmetricObjective(), 1.0, lambda losses: losses.image)
    np.testing.assert_allclose(jacobian(1.0), plain(1.0) / (error + 0.01), rtol=1e-4, atol=1e-6)


def test_the_derivative_has_no_gradient_and_is_taken_along_the_own_velocity():
    """By hand, for one parameter: `d/ds |u - d Du - target|^2` with Du held."""
    drawn = _drawn(0.5)
    step = 1e-3

    def made(scale, held=None):
        losses = _losses(FlowMapObjective(), _cubic(scale), drawn)
        return losses.image

    gradient = jax.jacobian(made)(jnp.float32(1.0))
    whole = (made(jnp.float32(1.0 + step)) - made(jnp.float32(1.0 - step))) / (2 * step)
    # The derivative moves too in the differences, so that they differ.
    assert np.abs(gradient - whole).max() > 0.05


def test_guidance_pulls_the_velocity_beside_clean_semantics_alone():
    class Semantic:
        """A field of which a part depends on the semantics' time."""

        def __call__(self, state, times, span):
            own = 1.0 + _column(times.semantics) + 0.0 * state.image + 0.0 * _column(span)
            return JointState(own, jnp.zeros_like(state.semantics))

    field = Semantic()
    clean, noisy = _drawn(0.0), _drawn(0.0, semantics_time=1.0)

    def image_loss(weight, drawn, teacher=None):
        return _losses(FlowMapObjective(weight), field, drawn, teacher).image

    np.testing.assert_array_equal(image_loss(2.0, noisy), image_loss(1.0, noisy))
    assert np.abs(image_loss(2.0, clean) - image_loss(1.0, clean)).min() > 1e-4
    # A teacher is guided as in sampling: 2 + w (1 - 2), against 1.
    zero = jnp.zeros(32)

    def teacher(state, times):
        return field(state, times, zero)

    np.testing.assert_allclose(image_loss(1.0, clean, teacher), 0.0, atol=1e-7)
    np.testing.assert_allclose(image_loss(3.0, clean, teacher), (1.0 - (2.0 - 3.0)) ** 2, rtol=1e-5)
