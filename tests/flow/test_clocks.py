import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.clocks import along, sample_tied_times, tied_clock
from symmflow_jax.flow.leaves import Leaves


def test_tied_clock_shows_both_leaves_the_same_time():
    times = tied_clock(jnp.float32(0.3))
    assert times.image == times.semantics == jnp.float32(0.3)


def test_sampled_times_are_tied_and_uniform():
    times = jax.vmap(sample_tied_times)(jax.random.split(jax.random.key(0), 4000))
    np.testing.assert_array_equal(times.image, times.semantics)
    assert jnp.all((times.image >= 0) & (times.image < 1))
    counts, _ = np.histogram(times.image, bins=8, range=(0, 1))
    np.testing.assert_allclose(counts, 500, atol=100)  # Nearly five standard deviations.


def test_a_share_of_the_times_is_one():
    keys = jax.random.split(jax.random.key(0), 4000)
    times = jax.vmap(lambda key: sample_tied_times(key, 0.25))(keys).image
    assert np.mean(times == 1.0) == pytest.approx(0.25, abs=0.03)
    others = np.asarray(times[times < 1.0])
    assert others.min() >= 0
    counts, _ = np.histogram(others, bins=6, range=(0, 1))
    np.testing.assert_allclose(counts, len(others) / 6, rtol=0.2)


def test_along_the_tied_clock_the_dynamics_are_the_velocity():
    state = Leaves(jnp.asarray([[1.0, 2.0]]), jnp.asarray([[3.0]]))

    def velocity(state, times):
        return Leaves(state.image * times.image, state.semantics + times.semantics)

    slope = along(tied_clock, velocity)(state, jnp.float32(0.5))
    np.testing.assert_allclose(slope.image, [[0.5, 1.0]])
    np.testing.assert_allclose(slope.semantics, [[3.5]])


def test_a_clock_scales_each_velocity_by_its_own_rate():
    state = Leaves(jnp.ones((1, 2)), jnp.ones((1, 1)))
    seen = []

    def held_image(s):
        return Leaves(image=jnp.ones_like(s), semantics=s**2)

    def velocity(state, times):
        seen.append(times)
        return state

    slope = along(held_image, velocity)(state, jnp.float32(0.25))
    np.testing.assert_allclose(seen[0].image, 1.0)
    np.testing.assert_allclose(seen[0].semantics, 0.0625)
    np.testing.assert_array_equal(slope.image, jnp.zeros((1, 2)))  # Held: its time stands still.
    np.testing.assert_allclose(slope.semantics, [[0.5]])


def test_along_works_with_a_constant_clock():
    state = Leaves(jnp.ones((1, 2)), jnp.ones((1, 1)))

    def constant(s):
        return Leaves(image=jnp.float32(1.0), semantics=s)

    slope = along(constant, lambda state, times: state)(state, jnp.float32(0.25))
    np.testing.assert_array_equal(slope.image, jnp.zeros((1, 2)))
    np.testing.assert_array_equal(slope.semantics, jnp.ones((1, 1)))
