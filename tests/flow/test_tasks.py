"""The tasks with velocities known in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.clocks import (
    clean_image,
    clean_semantics,
    noise_image,
    noise_semantics,
    opposed_clock,
    tied_clock,
)
from symmflow_jax.flow.moment import Moment
from symmflow_jax.flow.paths.linear import LinearPath
from symmflow_jax.flow.paths.path import ComponentPath
from symmflow_jax.flow.solvers.adaptive import DormandPrince
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.runge_kutta import EULER, MIDPOINT, RK4
from symmflow_jax.flow.state import JointState
from symmflow_jax.flow.tasks import predict_semantics, sample, synthesize

pytestmark = pytest.mark.slow

SIGMA = LinearPath().sigma_min
# Far apart in units of the noise, so that no pair is confused on the way.
IMAGES = jnp.asarray([[10.0, 5.0], [-10.0, 0.0], [0.0, -10.0]])
SEMANTICS = jnp.asarray([[-8.0], [0.0], [8.0]])


several_solvers = pytest.mark.parametrize(
    "solve", [FixedSteps(EULER, 1), FixedSteps(EULER, 25), FixedSteps(MIDPOINT, 5)]
)


def point_velocity(state, times):
    """The marginal velocity when all data is the first image with the first semantics.

    Whoever knows the data can read the noise off the state, and so the velocity.
    """
    x, y = IMAGES[:1], SEMANTICS[:1]
    t, s = times
    x_noise = (state.image - t * x) / (1 - (1 - SIGMA) * t)
    y_noise = (state.semantics - (1 - (1 - SIGMA) * s) * y) / jnp.maximum(s, 1e-6)
    return JointState(x - (1 - SIGMA) * x_noise, y_noise - (1 - SIGMA) * y)


def mixture_velocity(state, times):
    """The marginal velocity when the data is one of three pairs: the mean over the posterior."""
    t, s = times.image, jnp.maximum(times.semantics, 1e-3)
    left, kept = 1 - (1 - SIGMA) * t, 1 - (1 - SIGMA) * s
    x_noise = (state.image[:, None] - t * IMAGES[None]) / left
    y_noise = (state.semantics[:, None] - kept * SEMANTICS[None]) / s
    square = jnp.sum(jnp.square(x_noise), -1) + jnp.sum(jnp.square(y_noise), -1)
    posterior = jax.nn.softmax(-0.5 * square)[..., None]
    v_x = IMAGES[None] - (1 - SIGMA) * x_noise
    v_y = y_noise - (1 - SIGMA) * SEMANTICS[None]
    return JointState(jnp.sum(posterior * v_x, axis=1), jnp.sum(posterior * v_y, axis=1))


def repeat(array, times):
    return jnp.repeat(array, times, axis=0)


@several_solvers
def test_synthesis_ends_at_the_only_image(solve):
    noise = jax.random.normal(jax.random.key(0), (8, 2))
    result = synthesize(point_velocity, repeat(SEMANTICS[:1], 8), noise, solve)
    # Straight paths: any number of steps gets there, but for the residue of the noise.
    np.testing.assert_allclose(result.state.image, repeat(IMAGES[:1], 8) + SIGMA * noise, atol=1e-4)


@several_solvers
def test_recognition_ends_at_the_only_semantics(solve):
    noise = jax.random.normal(jax.random.key(0), (8, 1))
    result = predict_semantics(point_velocity, repeat(IMAGES[:1], 8), noise, solve)
    np.testing.assert_allclose(result.state.semantics, repeat(SEMANTICS[:1], 8), atol=1e-4)
    np.testing.assert_array_equal(result.nfe, np.full(8, solve.nfe))


def test_synthesis_draws_the_image_of_its_semantics():
    noise = jax.random.normal(jax.random.key(0), (24, 2))
    result = synthesize(mixture_velocity, repeat(SEMANTICS, 8), noise, FixedSteps(EULER, 25))
    np.testing.assert_allclose(result.state.image, repeat(IMAGES, 8), atol=1e-3)


@pytest.mark.parametrize("num_steps", [1, 2, 5])
def test_recognition_reads_the_semantics_of_each_image(num_steps):
    noise = jax.random.normal(jax.random.key(0), (24, 1))
    solve = FixedSteps(EULER, num_steps)
    result = predict_semantics(mixture_velocity, repeat(IMAGES, 8), noise, solve)
    np.testing.assert_allclose(result.state.semantics, repeat(SEMANTICS, 8), atol=1e-2)


def test_adaptive_synthesis_agrees_with_many_steps():
    noise = jax.random.normal(jax.random.key(0), (3, 2))
    adaptive = synthesize(mixture_velocity, SEMANTICS, noise, DormandPrince(1e-4))
    np.testing.assert_allclose(adaptive.state.image, IMAGES, atol=1e-2)


def test_both_components_move_both_ways():
    def velocity(state, times):
        return jax.tree.map(jnp.ones_like, state)

    solve = FixedSteps(EULER, 4)
    up = synthesize(velocity, jnp.zeros((2, 1)), jnp.zeros((2, 3)), solve).state
    down = predict_semantics(velocity, jnp.zeros((2, 3)), jnp.zeros((2, 1)), solve).state
    for component in up:
        np.testing.assert_allclose(component, jnp.ones_like(component), rtol=1e-6)
    for component in down:
        np.testing.assert_allclose(component, -jnp.ones_like(component), rtol=1e-6)


held_solvers = pytest.mark.parametrize(
    "solve", [FixedSteps(EULER, 3), FixedSteps(RK4, 2), DormandPrince(1e-3)]
)


@held_solvers
def test_what_is_held_clean_comes_out_as_it_went_in(solve):
    noise = jax.random.normal(jax.random.key(0), (3, 2))
    made = synthesize(mixture_velocity, SEMANTICS, noise, solve, clean_semantics).state
    np.testing.assert_array_equal(made.semantics, SEMANTICS)
    assert np.abs(made.image - noise).min() > 0
    read = predict_semantics(mixture_velocity, IMAGES, noise[:, :1], solve, clean_image).state
    np.testing.assert_array_equal(read.image, IMAGES)
    assert np.abs(read.semantics - noise[:, :1]).min() > 0


@held_solvers
def test_what_is_held_at_noise_comes_out_as_it_went_in(solve):
    noise = JointState(*(jax.random.normal(jax.random.key(n), (3, 3 - n)) for n in (1, 2)))
    images = sample(mixture_velocity, noise, solve, noise_semantics, 0.0, 1.0).state
    np.testing.assert_array_equal(images.semantics, noise.semantics)
    labels = sample(mixture_velocity, noise, solve, noise_image, 1.0, 0.0).state
    np.testing.assert_array_equal(labels.image, noise.image)


def test_held_components_are_shown_at_their_own_times():
    seen = []

    def velocity(state, times):
        seen.append((float(times.image), float(times.semantics)))
        return jax.tree.map(jnp.ones_like, state)

    def one_step(dynamics, state, start, end, after_step):
        dynamics(state, Moment(jnp.float32(start)))
        return dynamics(state, Moment(jnp.float32(0.25)))

    synthesize(velocity, SEMANTICS, IMAGES, one_step, clean_semantics)
    predict_semantics(velocity, IMAGES, SEMANTICS, one_step, clean_image)
    assert seen == [(0.0, 0.0), (0.25, 0.0), (1.0, 1.0), (1.0, 0.25)]


@pytest.mark.parametrize("clock", [tied_clock, clean_semantics])
@several_solvers
def test_a_hook_that_puts_known_pixels_back_keeps_them(solve, clock):
    noise = jax.random.normal(jax.random.key(0), (8, 2))
    known, is_known = jnp.full((8, 2), 7.0), jnp.asarray([[True, False]] * 8)
    path = ComponentPath(LinearPath(), clean_at_end=True)

    def put_back(state, times):
        on_path = path.interpolate(known, noise, times.image)
        return state._replace(image=jnp.where(is_known, on_path, state.image))

    semantics = repeat(SEMANTICS[:1], 8)
    image = synthesize(point_velocity, semantics, noise, solve, clock, put_back).state.image
    np.testing.assert_allclose(image[:, 0], 7.0 + SIGMA * noise[:, 0], atol=1e-5)
    # The other pixel goes where it would have gone: to 5.
    np.testing.assert_allclose(image[:, 1], 5.0 + SIGMA * noise[:, 1], atol=1e-4)


def test_a_hook_of_recognition_may_hold_the_image():
    noise = jax.random.normal(jax.random.key(0), (3, 1))

    def put_back(state, times):
        return state._replace(image=IMAGES)

    solve = FixedSteps(EULER, 5)
    moved = predict_semantics(mixture_velocity, IMAGES, noise, solve).state
    assert np.abs(moved.image - IMAGES).max() > 1
    kept = predict_semantics(mixture_velocity, IMAGES, noise, solve, after_step=put_back).state
    np.testing.assert_array_equal(kept.image, IMAGES)


@pytest.mark.parametrize(
    ("clock", "start", "end", "expected"),
    [
        (tied_clock, 0.0, 1.0, [(0.25, 0.25), (0.5, 0.5), (0.75, 0.75), (1, 1)]),
        (tied_clock, 1.0, 0.0, [(0.75, 0.75), (0.5, 0.5), (0.25, 0.25), (0, 0)]),
        (clean_semantics, 0.0, 1.0, [(0.25, 0), (0.5, 0), (0.75, 0), (1, 0)]),
        (clean_image, 1.0, 0.0, [(1, 0.75), (1, 0.5), (1, 0.25), (1, 0)]),
        (opposed_clock, 0.0, 1.0, [(0.25, 0.75), (0.5, 0.5), (0.75, 0.25), (1, 0)]),
    ],
)
def test_a_hook_sees_the_times_of_both_components(clock, start, end, expected):
    seen = []

    def recorded(state, times):
        jax.debug.callback(lambda x, y: seen.append((float(x), float(y))), *times, ordered=True)
        return state

    state = JointState(IMAGES, SEMANTICS)
    sample(mixture_velocity, state, FixedSteps(RK4, 4), clock, start, end, recorded)
    jax.effects_barrier()
    assert seen == expected


def test_a_hook_asks_for_fixed_steps():
    with pytest.raises(ValueError, match="An adaptive solver has no steps"):
        synthesize(
            mixture_velocity,
            SEMANTICS,
            IMAGES,
            DormandPrince(1e-3),
            after_step=lambda state, times: state,
        )
