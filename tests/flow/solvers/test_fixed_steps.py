import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.runge_kutta import EULER, HEUN, MIDPOINT, RK4, RK4_THREE_EIGHTHS
from symmflow_jax.flow.state import JointState

pytestmark = pytest.mark.slow

METHODS = {"euler": EULER, "midpoint": MIDPOINT, "heun": HEUN, "rk4": RK4, "3/8": RK4_THREE_EIGHTHS}
all_methods = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
both_ways = pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (1.0, 0.0)])


def curved(state, moment):
    """x' = 4 s x and y' = -4 s y^2: solved by `solution`."""
    s = moment.s
    return JointState(4 * s * state.image, -4 * s * jnp.square(state.semantics))


def solution(s):
    """The solution of `curved` through (1, 1) at s=0."""
    return JointState(np.full((2, 3), np.exp(2 * s**2)), np.full((2, 1), 1 / (1 + 2 * s**2)))


def as_state(leaves):
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), leaves)


def largest_error(method, num_steps, start, end):
    state = FixedSteps(method, num_steps)(curved, as_state(solution(start)), start, end).state
    errors = jax.tree.map(lambda a, b: np.max(np.abs(a - b)), state, solution(end))
    return np.array(errors)


@all_methods
@both_ways
def test_error_falls_with_the_declared_order(method, start, end):
    coarse, fine = {1: (64, 256), 2: (32, 128), 4: (6, 12)}[method.order]
    errors = largest_error(method, coarse, start, end), largest_error(method, fine, start, end)
    measured = np.log(errors[0] / errors[1]) / np.log(fine / coarse)
    np.testing.assert_allclose(measured[0], method.order, atol=0.35)
    # The 3/8 rule has a smaller error in this equation than its order promises.
    assert measured[1] > method.order - 0.35


@all_methods
def test_backwards_undoes_forwards(method):
    solve = FixedSteps(method, 100)
    there = solve(curved, as_state(solution(0.0)), 0.0, 1.0).state
    back = solve(curved, there, 1.0, 0.0).state
    tolerance = {1: 0.2, 2: 2e-3, 4: 1e-5}[method.order]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=tolerance), back, solution(0))
    # It went somewhere in between.
    assert np.all(np.abs(there.image - back.image) > 0.1)


@all_methods
@pytest.mark.parametrize("num_steps", [1, 3])
def test_nfe_is_the_number_of_evaluations(method, num_steps):
    calls = []

    def counted(state, moment):
        jax.debug.callback(lambda s: calls.append(float(s)), moment.s)
        return curved(state, moment)

    solver = FixedSteps(method, num_steps)
    result = solver(counted, as_state(solution(0.0)), 0.0, 1.0)
    jax.effects_barrier()
    np.testing.assert_array_equal(result.nfe, [len(calls)] * 2)
    assert solver.nfe == len(calls)
    assert result.nfe.dtype == jnp.int32


@both_ways
def test_times_stay_within_the_interval(start, end):
    times = []

    def recorded(state, moment):
        jax.debug.callback(lambda s: times.append(float(s)), moment.s)
        return state

    FixedSteps(EULER, 5)(recorded, as_state(solution(0.0)), start, end)
    jax.effects_barrier()
    expected = start + (end - start) * np.arange(5) / 5
    np.testing.assert_allclose(sorted(times), sorted(expected), atol=1e-6)


@both_ways
@pytest.mark.parametrize("num_steps", [1, 7, 25])
def test_euler_is_exact_where_the_velocity_is_constant(num_steps, start, end):
    velocity = JointState(jnp.asarray([[1.0, -2.0]]), jnp.asarray([[0.5]]))
    state = JointState(jnp.asarray([[3.0, 4.0]]), jnp.asarray([[5.0]]))
    result = FixedSteps(EULER, num_steps)(lambda state, moment: velocity, state, start, end)
    expected = jax.tree.map(lambda x, v: x + (end - start) * v, state, velocity)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), result.state, expected)


@pytest.mark.parametrize(
    ("method", "integral"),
    # Of s^4 over [0, 1]: Simpson's rule, and his second rule with nodes at thirds.
    [(RK4, (4 / 16 + 1) / 6), (RK4_THREE_EIGHTHS, (3 / 81 + 3 * 16 / 81 + 1) / 8)],
)
def test_methods_of_order_four_have_their_own_rules(method, integral):
    def power(state, moment):
        return jax.tree.map(lambda leaf: jnp.full_like(leaf, moment.s**4), state)

    state = JointState(jnp.zeros((2, 3)), jnp.zeros((2, 1)))
    result = FixedSteps(method, 1)(power, state, 0.0, 1.0).state
    np.testing.assert_allclose(result.image, integral, rtol=1e-6)


@pytest.mark.parametrize("num_steps", [0, -3])
def test_no_steps_are_refused(num_steps):
    with pytest.raises(ValueError, match=f"num_steps is {num_steps}; .* at least one step"):
        FixedSteps(EULER, num_steps)


def test_many_calls_of_one_shape_are_traced_once():
    traces = []

    def traced(state, moment):
        traces.append(1)
        return curved(state, moment)

    solve = jax.jit(lambda state: FixedSteps(EULER, 50)(traced, state, 0.0, 1.0).state)
    for seed in range(5):
        x, y = jax.random.normal(jax.random.key(seed), (2, 4, 3))
        solve(JointState(x, y))
    # The scan traces its body once for all steps; no later call traces anything.
    assert len(traces) == 1


@all_methods
def test_solver_is_a_value(method):
    assert FixedSteps(method, 3) == FixedSteps(method, 3)
    assert hash(FixedSteps(method, 3)) == hash(FixedSteps(method, 3))
    assert FixedSteps(method, 3) != FixedSteps(method, 4)


def standing(state, moment):
    return jax.tree.map(jnp.zeros_like, state)


def add_time(state, moment):
    return jax.tree.map(lambda leaf: leaf + moment.s, state)


@all_methods
@pytest.mark.parametrize(
    ("start", "end", "total"),
    # 1/4 + 1/2 + 3/4 + 1; 3/4 + 1/2 + 1/4 + 0; and 3/8 + 1/2 + 5/8 + 3/4.
    [(0.0, 1.0, 2.5), (1.0, 0.0, 1.5), (0.25, 0.75, 2.25)],
)
def test_a_hook_is_called_once_after_each_step_with_its_end(method, start, end, total):
    state = JointState(jnp.zeros((2, 3)), jnp.zeros((2, 1)))
    result = FixedSteps(method, 4)(standing, state, start, end, add_time)
    for component in result.state:
        np.testing.assert_allclose(component, jnp.full_like(component, total), rtol=1e-6)
    assert np.all(result.nfe == FixedSteps(method, 4).nfe)


@both_ways
def test_a_hook_sees_the_ends_in_their_order(start, end):
    times = []

    def recorded(state, moment):
        jax.debug.callback(lambda s: times.append(float(s)), moment.s, ordered=True)
        return state

    FixedSteps(HEUN, 5)(curved, as_state(solution(start)), start, end, recorded)
    jax.effects_barrier()
    rising = [0.2, 0.4, 0.6, 0.8, 1.0] if end else [0.8, 0.6, 0.4, 0.2, 0.0]
    np.testing.assert_allclose(times, rising, atol=1e-6)


@both_ways
def test_steps_go_on_from_what_the_hook_returns(start, end):
    def unit(state, moment):
        return jax.tree.map(jnp.ones_like, state)

    def double(state, moment):
        return jax.tree.map(lambda leaf: 2 * leaf, state)

    state = JointState(jnp.zeros((2, 3)), jnp.zeros((2, 1)))
    result = FixedSteps(EULER, 2)(unit, state, start, end, double).state
    # Half a unit doubled is 1; with half a unit more, and doubled, 3.
    for component in result:
        np.testing.assert_allclose(component, jnp.full_like(component, 3 * (end - start)))


@all_methods
@both_ways
def test_without_a_hook_states_are_kept_bit_for_bit(method, start, end):
    state = as_state(solution(start))
    default = FixedSteps(method, 7)(curved, state, start, end)
    hooked = FixedSteps(method, 7)(curved, state, start, end, lambda state, moment: state)
    jax.tree.map(np.testing.assert_array_equal, default, hooked)


def test_all_stages_and_the_hook_of_a_step_see_its_number():
    seen = []

    def record(name, moment):
        def note(s, step):
            seen.append((name, round(float(s), 3), int(step)))

        jax.debug.callback(note, moment.s, moment.step, ordered=True)

    def recorded(state, moment):
        record("slope", moment)
        return standing(state, moment)

    def hook(state, moment):
        record("hook", moment)
        return state

    FixedSteps(HEUN, (0.0, 0.2, 1.0))(recorded, as_state(solution(0.0)), 0.0, 1.0, hook)
    jax.effects_barrier()
    first = [("slope", 0.0, 0), ("slope", 0.2, 0), ("hook", 0.2, 0)]
    assert seen == [*first, ("slope", 0.2, 1), ("slope", 1.0, 1), ("hook", 1.0, 1)]


@both_ways
def test_a_grid_of_equal_fractions_is_that_of_equal_steps(start, end):
    state = as_state(solution(start))
    equal = FixedSteps(RK4, 4)(curved, state, start, end)
    given = FixedSteps(RK4, (0.0, 0.25, 0.5, 0.75, 1.0))(curved, state, start, end)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), given, equal)


@both_ways
def test_steps_of_other_lengths_arrive_too_and_where_they_are_short_they_err_less(start, end):
    # The largest slopes are those of late s: short steps there, whichever way it goes.
    fractions = 1.0 - (1.0 - np.arange(17) / 16) ** 1.5 if end else (np.arange(17) / 16) ** 1.5
    grid = tuple(float(fraction) for fraction in fractions)
    errors = [
        np.abs(FixedSteps(EULER, steps)(curved, as_state(solution(start)), start, end).state.image
               - solution(end).image).max()
        for steps in (grid, 16)
    ]  # fmt: skip
    assert errors[0] < errors[1] < 2.0
    assert FixedSteps(EULER, grid).num_steps == FixedSteps(EULER, grid).nfe == 16


@pytest.mark.parametrize("grid", [(0.0,), (0.0, 0.5), (0.1, 1.0), (0.0, 0.5, 0.5, 1.0)])
def test_a_grid_that_does_not_rise_from_0_to_1_is_refused(grid):
    with pytest.raises(ValueError, match="give fractions that rise from 0 to 1"):
        FixedSteps(EULER, grid)
