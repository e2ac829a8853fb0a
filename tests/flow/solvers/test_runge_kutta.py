"""Single steps, worked by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.moment import Moment
from symmflow_jax.flow.solvers.runge_kutta import EULER, HEUN, MIDPOINT, RK4
from symmflow_jax.flow.state import JointState


def step(method, dynamics, value, time, size):
    """One step of both components from the same value."""
    state = JointState(jnp.full((1, 2), value), jnp.full((1, 1), value))
    moment = Moment(jnp.float32(time), jnp.int32(0))
    image, semantics = method.step(dynamics, state, moment, jnp.float32(size))
    np.testing.assert_array_equal(image[:, :1], semantics)
    return float(semantics[0, 0])


@pytest.mark.parametrize(
    ("method", "ahead", "back"),
    # The series of e and of 1/e, as far as the method follows them.
    [
        (EULER, 2.0, 0.0),
        (MIDPOINT, 2.5, 0.5),
        (HEUN, 2.5, 0.5),
        (RK4, 2.5 + 1 / 6 + 1 / 24, 0.5 - 1 / 6 + 1 / 24),
    ],
)
def test_growth_in_one_step(method, ahead, back):
    np.testing.assert_allclose(step(method, lambda x, moment: x, 1.0, 0.0, 1.0), ahead, rtol=1e-6)
    np.testing.assert_allclose(step(method, lambda x, moment: x, 1.0, 0.0, -1.0), back, rtol=1e-6)


@pytest.mark.parametrize(
    ("method", "area"),
    # Below s^3 from 1 to 3: the left edge, the middle, both edges, and Simpson's rule, exact.
    [(EULER, 2.0), (MIDPOINT, 16.0), (HEUN, 28.0), (RK4, 20.0)],
)
def test_a_slope_of_the_time_alone_is_a_quadrature(method, area):
    def cubic(state, moment):
        return jax.tree.map(lambda leaf: jnp.full_like(leaf, moment.s**3), state)

    np.testing.assert_allclose(step(method, cubic, 5.0, 1.0, 2.0), 5.0 + area, rtol=1e-6)
    np.testing.assert_allclose(
        step(method, cubic, 5.0, 3.0, -2.0), 5.0 - (54.0 if method is EULER else area), rtol=1e-6
    )
