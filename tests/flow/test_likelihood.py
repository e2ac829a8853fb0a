"""Log densities against distributions that are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow import clocks, likelihood
from symmflow_jax.flow.likelihood import ExactTrace, Hutchinson, divergence_of
from symmflow_jax.flow.solvers import fixed_steps
from symmflow_jax.flow.solvers.adaptive import DormandPrince
from symmflow_jax.flow.state import JointState

MEAN, SCALES = np.array([1.0, -2.0, 0.5]), np.array([0.5, 1.0, 2.0])


def velocity(state, times):
    """The flow of noise to a Gaussian on the straight path, and of semantics to a scaled one."""
    t, u = times.image, times.semantics
    noise, spread = 1.0 - t, t * jnp.asarray(SCALES, jnp.float32)
    rate = (spread * jnp.asarray(SCALES, jnp.float32) - noise) / (noise**2 + spread**2)
    mean = jnp.asarray(MEAN, jnp.float32)[None]
    image = mean + rate[None] * (state.image - t * mean)
    # Data of standard deviation 3 at u = 0 becomes standard noise at u = 1.
    clean = 3.0 * (1.0 - u)
    return JointState(image, (u - 3.0 * clean) / (clean**2 + u**2) * state.semantics)


def draw(count=6):
    rng = np.random.default_rng(0)
    image = (MEAN + SCALES * rng.normal(size=(count, 3))).astype(np.float32)
    semantics = (3.0 * rng.normal(size=(count, 2, 1))).astype(np.float32)
    return JointState(jnp.asarray(image), jnp.asarray(semantics))


def truth(data):
    whitened = (np.asarray(data.image) - MEAN) / SCALES
    nats = -0.5 * np.square(whitened).sum(axis=1) - np.log(SCALES).sum()
    return nats - 1.5 * np.log(2 * np.pi)


def of_image(solve, divergence=ExactTrace(), seed=0):  # noqa: B008
    data = draw()
    probes = divergence.probes(jax.random.split(jax.random.key(seed), 6), (3,))
    return likelihood.log_density(
        velocity, data, clocks.clean_semantics, solve, 1.0, 0.0, divergence, probes
    )


@pytest.mark.parametrize("solve", [fixed_steps.rk4(10), DormandPrince(1e-5)])
def test_a_gaussian_has_its_log_density(solve):
    found = of_image(solve)
    np.testing.assert_allclose(found.nats, truth(draw()), atol=2e-3)
    noise = (np.asarray(draw().image) - MEAN) / SCALES
    np.testing.assert_allclose(found.noise, noise, atol=2e-3)
    assert (np.asarray(found.nfe) >= 7).all() and found.nfe.dtype == jnp.int32


def test_the_error_of_a_solver_falls_with_its_order():
    exact = truth(draw())
    errors = [
        np.abs(np.asarray(of_image(solve).nats) - exact).max()
        for solve in (fixed_steps.euler(8), fixed_steps.heun(8), fixed_steps.rk4(8))
    ]
    assert errors[0] > 4 * errors[1] > 16 * errors[2]


def test_the_density_of_the_semantics_runs_the_other_way():
    data = draw()
    found = likelihood.log_density(
        velocity, data, clocks.noise_image, fixed_steps.rk4(10), 0.0, 1.0, ExactTrace(), None,
        of_image=False,
    )  # fmt: skip
    squares = np.square(np.asarray(data.semantics) / 3.0).sum(axis=(1, 2))
    exact = -0.5 * squares - 2.0 * np.log(3.0) - np.log(2 * np.pi)
    np.testing.assert_allclose(found.nats, exact, atol=2e-3)


def test_what_does_not_move_stays_and_counts_nothing():
    """Also beside a component of another shape, and whatever its velocity is."""
    data = draw()
    seen = []

    def watched(state, times):
        seen.append(state.semantics.shape)
        return velocity(state, times)._replace(semantics=jnp.full_like(state.semantics, jnp.nan))

    found = likelihood.log_density(
        watched, data, clocks.clean_semantics, fixed_steps.rk4(2), 1.0, 0.0, ExactTrace(), None
    )
    assert np.isfinite(found.nats).all() and set(seen) == {(6, 2, 1)}


MATRIX = jnp.asarray([[0.3, 2.0, -1.0], [1.0, -0.7, 0.5], [0.2, 3.0, 0.9]])


def _divergence(divergence, count, seed=0):
    """The divergence of the linear velocity x -> x M, whose trace is 0.5."""
    point = jnp.ones((count, 3))
    rate, pull = jax.vjp(lambda x: x @ MATRIX, point)
    probes = divergence.probes(jax.random.split(jax.random.key(seed), count), (3,))
    return divergence(lambda vectors: pull(vectors)[0], rate, probes)


def test_the_exact_trace_is_exact():
    np.testing.assert_allclose(_divergence(ExactTrace(), 4), np.full(4, 0.5), atol=1e-6)


@pytest.mark.parametrize("num_probes", [1, 16])
def test_probes_are_unbiased_and_several_of_them_surer(num_probes):
    found = np.asarray(_divergence(Hutchinson(num_probes), 2_000))
    spread = np.sqrt(np.square(np.asarray(MATRIX + MATRIX.T)[np.triu_indices(3, 1)]).sum())
    assert found.std() == pytest.approx(spread / num_probes**0.5, rel=0.1)
    assert abs(found.mean() - 0.5) < 3 * found.std() / 2_000**0.5


def test_probes_are_signs_of_an_example_alone():
    keys = lambda: jax.random.split(jax.random.key(3), 5)  # noqa: E731
    probes = Hutchinson(2).probes(keys(), (4, 4))
    assert probes.shape == (5, 2, 4, 4) and set(np.unique(probes)) == {-1.0, 1.0}
    np.testing.assert_array_equal(Hutchinson(2).probes(keys()[2:3], (4, 4))[0], probes[2])


def test_an_example_by_an_adaptive_solver_has_its_own_probes():
    together = of_image(DormandPrince(1e-4), Hutchinson(2)).nats
    fixed = of_image(fixed_steps.rk4(20), Hutchinson(2)).nats
    np.testing.assert_allclose(together, fixed, atol=2e-3)


def test_few_dimensions_are_exact_and_many_estimated():
    assert divergence_of(64, 3) == ExactTrace() and divergence_of(65, 3) == Hutchinson(3)
    words = [str(d) for d in (ExactTrace(), Hutchinson(1), Hutchinson(4))]
    assert words == ["exact trace", "1 random probe", "4 random probes"]
    with pytest.raises(ValueError, match="num_probes is 0; an estimate takes at least one"):
        Hutchinson(0)


def test_the_mean_of_draws_is_that_of_the_densities():
    nats = jnp.log(jnp.asarray([[1.0, 5.0], [3.0, 5.0]]))
    np.testing.assert_allclose(jnp.exp(likelihood.mean_of_draws(nats)), [2.0, 5.0], rtol=1e-6)
