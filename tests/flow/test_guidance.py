"""Guided velocities, worked by hand."""

import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.guidance import NO_GUIDANCE, Guidance
from symmflow_jax.flow.state import JointState

CONDITIONAL = jnp.asarray([[3.0, 4.0], [1.0, 0.0]])
BLIND = jnp.asarray([[1.0, 2.0], [1.0, 1.0]])
SEMANTICS, NOISE = jnp.zeros((2, 1)), jnp.ones((2, 1))
STATE = JointState(jnp.asarray([[0.5, 0.5], [0.25, 0.0]]), SEMANTICS)


@pytest.fixture
def seen():
    """The states and times at which a network was asked."""
    return []


@pytest.fixture
def velocity(seen):
    """A network that knows the semantics' velocity (7), and images' by what it is shown."""

    def answer(state, times):
        seen.append((state, times))
        unconditional = state.semantics[0, 0] == 1.0
        image = jnp.where(unconditional, BLIND, CONDITIONAL)
        return JointState(image, jnp.full((2, 1), 7.0))

    return answer


def _image(guidance, velocity, t=0.5) -> np.ndarray:
    times = JointState(jnp.asarray(t), jnp.asarray(0.0))
    return np.asarray(guidance(velocity, NOISE)(STATE, times).image)


def test_a_weight_of_one_is_none(velocity, seen):
    np.testing.assert_array_equal(_image(Guidance(weight=1.0), velocity), CONDITIONAL)
    assert len(seen) == 1 and Guidance().passes == 1
    assert Guidance() == NO_GUIDANCE and str(NO_GUIDANCE) == ""


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        (2.0, [[5.0, 6.0], [1.0, -1.0]]),
        (0.0, [[1.0, 2.0], [1.0, 1.0]]),
        (3.5, [[8.0, 9.0], [1.0, -2.5]]),
    ],
)
def test_a_weight_draws_away_from_the_unconditional_velocity(velocity, weight, expected):
    np.testing.assert_allclose(_image(Guidance(weight), velocity), expected)
    assert Guidance(weight).passes == 2


def test_semantics_move_as_without_guidance(velocity):
    times = JointState(jnp.asarray(0.5), jnp.asarray(0.25))
    guided = Guidance(4.0, zero_init_until=0.75)(velocity, NOISE)(STATE, times)
    np.testing.assert_array_equal(guided.semantics, [[7.0], [7.0]])


def test_the_second_pass_sees_the_image_beside_pure_noise(velocity, seen):
    times = JointState(jnp.asarray(0.3), jnp.asarray(0.0))
    Guidance(2.0)(velocity, NOISE)(STATE, times)
    (state, given), (blind_state, unconditional) = seen
    assert state is STATE and given is times
    np.testing.assert_array_equal(blind_state.image, STATE.image)
    np.testing.assert_array_equal(blind_state.semantics, NOISE)
    assert (unconditional.image, unconditional.semantics) == (times.image, 1.0)


@pytest.mark.parametrize(
    ("t", "guided"), [(0.0, False), (0.2, True), (0.5, True), (0.75, True), (0.8, False)]
)
def test_there_is_guidance_between_two_times_only(velocity, t, guided):
    image = _image(Guidance(2.0, start=0.2, end=0.75), velocity, t)
    np.testing.assert_allclose(image, 2 * CONDITIONAL - BLIND if guided else CONDITIONAL)


def test_the_projection_scales_each_example(velocity):
    # <c, u> / <u, u> is 11/5 for the first and 1/2 for the second.
    image = _image(Guidance(3.0, project=True), velocity)
    scaled = np.asarray([[2.2, 4.4], [0.5, 0.5]])
    np.testing.assert_allclose(image, 3 * np.asarray(CONDITIONAL) - 2 * scaled, rtol=1e-5)


def test_the_projection_of_equal_velocities_changes_nothing():
    def velocity(state, times):
        return JointState(CONDITIONAL, SEMANTICS)

    image = _image(Guidance(5.0, project=True), velocity)
    np.testing.assert_allclose(image, CONDITIONAL, rtol=1e-6)


def test_a_velocity_of_zero_can_be_projected_on():
    def velocity(state, times):
        return JointState(jnp.where(state.semantics == 1.0, 0.0, CONDITIONAL), SEMANTICS)

    image = _image(Guidance(2.0, project=True), velocity)
    np.testing.assert_allclose(image, 2 * CONDITIONAL)


@pytest.mark.parametrize(("t", "still"), [(0.0, True), (0.19, True), (0.2, False), (1.0, False)])
def test_the_image_stands_still_at_first(velocity, t, still):
    for weight, moving in ((1.0, CONDITIONAL), (2.0, 2 * CONDITIONAL - BLIND)):
        image = _image(Guidance(weight, zero_init_until=0.2), velocity, t)
        np.testing.assert_allclose(image, jnp.zeros((2, 2)) if still else moving)


def test_guidance_in_words():
    assert str(Guidance(2.5, 0.1, 0.9, True, 0.04)) == (
        "weight 2.5, from 0.1 to 0.9, projected, still until 0.04"
    )
    assert str(Guidance(zero_init_until=0.2)) == "still until 0.2"


@pytest.mark.parametrize("interval", [(0.6, 0.4), (-0.1, 1.0), (0.0, 1.1)])
def test_what_is_no_interval_is_an_error(interval):
    with pytest.raises(ValueError, match=r"is no interval in \[0, 1\]"):
        Guidance(2.0, *interval)


@pytest.mark.parametrize("weight", [float("nan"), float("inf")])
def test_a_weight_that_is_no_number_is_an_error(weight):
    with pytest.raises(ValueError, match=f"The weight of the guidance is {weight}; it must be f"):
        Guidance(weight)
