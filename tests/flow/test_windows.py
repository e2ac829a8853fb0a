"""Windows over a canvas: where they lie, what they weigh, and that all of them move at once."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow import windows
from symmflow_jax.flow.state import JointState
from symmflow_jax.flow.windows import JointWindows


def test_windows_step_evenly_and_the_last_one_ends_with_the_canvas():
    assert windows.starts(100, 32, 0.5) == (0, 16, 32, 48, 64, 68)
    assert windows.starts(64, 32, 0.0) == (0, 32)
    assert windows.starts(32, 32, 0.9) == (0,)
    # However much windows overlap, they go on.
    assert windows.starts(6, 4, 0.9) == (0, 1, 2)


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5, 0.9])
@pytest.mark.parametrize(("length", "window"), [(8, 8), (9, 8), (100, 32), (131, 16)])
def test_weights_add_up_to_one_at_every_pixel(length, window, overlap):
    found, total = windows.weights(length, window, overlap), np.zeros(length)
    for start, weight in zip(windows.starts(length, window, overlap), found, strict=True):
        assert (weight > 0).all()
        total[start : start + window] += weight
    np.testing.assert_allclose(total, 1.0, rtol=1e-6)


def test_one_window_counts_in_full_and_the_middle_of_several_counts_most():
    np.testing.assert_array_equal(windows.weights(8, 8, 0.5), np.ones((1, 8), np.float32))
    middle = windows.weights(32, 16, 0.5)[1]
    assert middle[7] == middle[8] == middle.max() > 0.95 and middle[0] < 0.05


@pytest.mark.parametrize("overlap", [-0.1, 0.91, 1.0])
def test_an_overlap_out_of_range_is_refused(overlap):
    with pytest.raises(ValueError, match=rf"overlap of windows is {overlap:g}; .* such as 0.5"):
        windows.starts(100, 32, overlap)


def test_a_canvas_smaller_than_a_window_is_refused():
    with pytest.raises(ValueError, match="20 pixels is smaller than a window of 32"):
        windows.starts(20, 32, 0.5)


def _state(batch: int, height: int, width: int) -> JointState:
    rng = np.random.default_rng(0)
    image, semantics = (rng.normal(size=(batch, height, width, c)) for c in (3, 2))
    return JointState(jnp.asarray(image, jnp.float32), jnp.asarray(semantics, jnp.float32))


@pytest.mark.parametrize(("overlap", "per_pass"), [(0.5, 16), (0.25, 4), (0.0, 1)])
def test_a_velocity_of_single_pixels_is_that_of_the_canvas(overlap, per_pass):
    """Then no window knows more than another, in as many passes as there are."""

    def velocity(state: JointState, times: JointState) -> JointState:
        t = times.image.reshape(-1, 1, 1, 1)
        return JointState(t * jnp.sin(state.image), state.semantics - t)

    state, times = _state(2, 11, 14), JointState(jnp.asarray([0.2, 0.7]), jnp.zeros(2))
    joint = JointWindows((11, 14), (4, 8), overlap, per_pass)(velocity)
    for found, expected in zip(jax.jit(joint)(state, times), velocity(state, times), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_each_window_sees_its_part_alone():
    def of_means(state: JointState, times: JointState) -> JointState:
        del times
        return jax.tree.map(
            lambda a: jnp.broadcast_to(a.mean(axis=(1, 2), keepdims=True), a.shape), state
        )

    state, times = _state(1, 4, 8), JointState(jnp.float32(0.5), jnp.float32(0.5))
    found = JointWindows((4, 8), (4, 4), 0.0)(of_means)(state, times)
    for half, component in itertools.product((slice(0, 4), slice(4, 8)), range(2)):
        expected = state[component][:, :, half].mean(axis=(1, 2), keepdims=True)
        values = np.broadcast_to(expected, found[component][:, :, half].shape)
        np.testing.assert_allclose(found[component][:, :, half], values, atol=1e-6)


def test_a_span_goes_to_every_window():
    def velocity(state: JointState, times: JointState, span: jax.Array) -> JointState:
        assert times.image.shape == span.shape == (len(state.image),)
        return jax.tree.map(lambda a: jnp.zeros_like(a) + span.reshape(-1, 1, 1, 1), state)

    state, half = _state(2, 4, 8), jnp.float32(0.5)
    found = JointWindows((4, 8), (4, 4))(velocity)(state, JointState(half, half), half)
    np.testing.assert_allclose(found.image, 0.5, rtol=1e-6)
