import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.solvers.adaptive import DormandPrince
from symmflow_jax.flow.state import JointState

pytestmark = pytest.mark.slow

RATES = np.array([1.0, 4.0, 16.0])
both_ways = pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (1.0, 0.0)])


def spinning(state, moment):
    """x turns at its own rate y, which stays: the faster, the more steps it takes."""
    x, y = state
    turn = jnp.stack([-x[:, 1], x[:, 0]], axis=-1)
    return JointState(y * turn * (1.0 + moment.s), jnp.zeros_like(y))


def state_at(s, rates=RATES):
    """The solution of `spinning` through (1, 0) at s=0."""
    angle = rates * (s + s**2 / 2)
    x = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return JointState(jnp.asarray(x, jnp.float32), jnp.asarray(rates[:, None], jnp.float32))


def solve(tolerance, state, start, end, max_steps=1024):
    """Jitted, so that batches of one shape share a compilation, whichever way they go."""
    return jitted(DormandPrince(tolerance, max_steps), state, start, end)


jitted = jax.jit(
    lambda solver, state, start, end: solver(spinning, state, start, end),
    static_argnums=0,
    compiler_options={
        "xla_backend_optimization_level": 0,
        "xla_llvm_disable_expensive_passes": True,
    },
)


@both_ways
def test_error_follows_the_tolerance(start, end):
    errors, costs = [], []
    for tolerance in (1e-2, 1e-4):
        result = solve(tolerance, state_at(start), start, end)
        error = np.max(np.abs(result.state.image - state_at(end).image))
        assert error < 50 * tolerance  # Local errors add up over four turns.
        errors.append(error)
        costs.append(np.sum(result.nfe))
    assert errors[0] > 10 * errors[1]
    assert costs[0] < costs[1]


def test_steps_of_a_sample_do_not_depend_on_its_batch():
    together = solve(1e-3, state_at(0.0), 0.0, 1.0)
    assert together.nfe[0] < together.nfe[1] < together.nfe[2]
    for index in range(3):
        rate = RATES[index : index + 1]
        alone = solve(1e-3, state_at(0.0, rate), 0.0, 1.0)
        np.testing.assert_array_equal(alone.nfe, together.nfe[index : index + 1])
        np.testing.assert_allclose(
            alone.state.image, together.state.image[index : index + 1], atol=1e-5
        )


@both_ways
@pytest.mark.parametrize("tolerance", [1e-1, 1e-4])
def test_nfe_is_the_number_of_evaluations(tolerance, start, end):
    times = []

    def counted(state, moment):
        assert moment.step is None
        jax.debug.callback(lambda s: times.append(float(s)), moment.s)
        return spinning(state, moment)

    rate = RATES[1:2]
    result = DormandPrince(tolerance)(counted, state_at(start, rate), start, end)
    jax.effects_barrier()
    np.testing.assert_array_equal(result.nfe, [len(times)])
    assert min(times) >= 0 and max(times) <= 1


def test_a_sample_that_needs_too_many_steps_is_given_up_alone():
    result = solve(1e-5, state_at(0.0), 0.0, 1.0, max_steps=30)
    finished = np.all(np.isfinite(result.state.image), axis=-1)
    np.testing.assert_array_equal(finished, [True, True, False])
    assert np.isnan(result.state.semantics[2, 0])


@pytest.mark.parametrize("tolerance", [0.0, -1e-3, float("nan"), float("inf")])
def test_tolerance_must_be_positive(tolerance):
    with pytest.raises(ValueError, match=f"tolerance is {tolerance}; it must be positive"):
        DormandPrince(tolerance)


def test_a_hook_is_refused():
    with pytest.raises(ValueError, match="no steps to do something after; choose one of fixed"):
        DormandPrince(1e-3)(spinning, state_at(0.0), 0.0, 1.0, lambda state, moment: state)
