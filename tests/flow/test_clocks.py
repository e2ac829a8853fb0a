import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow import clocks
from symmflow_jax.flow.clocks import along, tied_clock
from symmflow_jax.flow.moment import Moment
from symmflow_jax.flow.state import JointState


def test_tied_clock_shows_both_leaves_the_same_time():
    times = tied_clock(jnp.float32(0.3))
    assert times.image == times.semantics == jnp.float32(0.3)


@pytest.mark.parametrize(
    ("clock", "start", "end"),
    [
        (clocks.clean_image, (1, 0), (1, 1)),
        (clocks.clean_semantics, (0, 0), (1, 0)),
        (clocks.noise_semantics, (0, 1), (1, 1)),
        (clocks.noise_image, (0, 0), (0, 1)),
        (clocks.opposed_clock, (0, 1), (1, 0)),
    ],
)
def test_curves_go_from_corner_to_corner_of_the_unit_square(clock, start, end):
    assert clock(jnp.float32(0.0)) == start
    assert clock(jnp.float32(1.0)) == end


def test_along_the_tied_clock_the_dynamics_are_the_velocity():
    state = JointState(jnp.asarray([[1.0, 2.0]]), jnp.asarray([[3.0]]))

    def velocity(state, times):
        return JointState(state.image * times.image, state.semantics + times.semantics)

    slope = along(tied_clock, velocity)(state, Moment(jnp.float32(0.5)))
    np.testing.assert_allclose(slope.image, [[0.5, 1.0]])
    np.testing.assert_allclose(slope.semantics, [[3.5]])


def test_a_clock_scales_each_velocity_by_its_own_rate():
    state = JointState(jnp.ones((1, 2)), jnp.ones((1, 1)))
    seen = []

    def clean_image(s):
        return JointState(image=jnp.ones_like(s), semantics=s**2)

    def velocity(state, times):
        seen.append(times)
        return state

    slope = along(clean_image, velocity)(state, Moment(jnp.float32(0.25)))
    np.testing.assert_allclose(seen[0].image, 1.0)
    np.testing.assert_allclose(seen[0].semantics, 0.0625)
    np.testing.assert_array_equal(slope.image, jnp.zeros((1, 2)))  # Held: its time stands still.
    np.testing.assert_allclose(slope.semantics, [[0.5]])


def test_along_works_with_a_constant_clock():
    state = JointState(jnp.ones((1, 2)), jnp.ones((1, 1)))

    def constant(s):
        return JointState(image=jnp.float32(1.0), semantics=s)

    slope = along(constant, lambda state, times: state)(state, Moment(jnp.float32(0.25)))
    np.testing.assert_array_equal(slope.image, jnp.zeros((1, 2)))
    np.testing.assert_array_equal(slope.semantics, jnp.ones((1, 1)))
