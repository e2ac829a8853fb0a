"""Solvers by name, and the rows of an evaluation's table."""

import math

import jax.numpy as jnp
import pytest

from symmflow_jax.config.build.solvers import SOLVERS, make_solver, solver_rows
from symmflow_jax.config.values import EvalConfig
from symmflow_jax.flow.state import JointState

pytestmark = pytest.mark.slow


def _error(solve) -> float:
    """The error of e, found as the growth of dx/ds = x over a unit of time."""
    state = JointState(jnp.ones((1, 1)), jnp.full((1, 2), 2.0))
    end = solve(lambda state, s, *span: state, state, 0.0, 1.0).state
    assert end.semantics.shape == (1, 2)
    assert float(end.semantics[0, 1]) == pytest.approx(2.0 * float(end.image[0, 0]), rel=1e-4)
    return abs(float(end.image[0, 0]) - math.e)


@pytest.mark.parametrize("name", SOLVERS)
def test_every_solver_errs_less_with_more_steps(name):
    rough, fine = (
        make_solver(name, num_steps, tolerance) for num_steps, tolerance in ((2, 0.1), (8, 1e-5))
    )
    assert _error(fine) < 0.4 * _error(rough)
    assert _error(rough) < 0.5


def test_one_step_of_euler_is_a_straight_line():
    assert _error(make_solver("euler", 1, 0.0)) == pytest.approx(math.e - 2.0, rel=1e-5)


def test_unknown_solvers_are_refused_with_the_list():
    with pytest.raises(ValueError) as error:
        make_solver("leapfrog", 2, 0.1)
    assert str(error.value) == (
        "The solver is 'leapfrog'; choose one of euler, midpoint, heun, rk4, rk4_three_eighths, "
        "dopri5, flow_map."
    )


def test_rows_are_all_step_counts_of_each_solver_but_one_of_an_adaptive_one():
    rows = solver_rows(EvalConfig(solvers=("heun", "dopri5", "euler"), num_steps=(1, 4)))
    assert [(name, num_steps) for name, num_steps, _ in rows] == [
        ("heun", 1),
        ("heun", 4),
        ("dopri5", None),
        ("euler", 1),
        ("euler", 4),
    ]
    assert _error(rows[1][2]) < _error(rows[0][2]) < _error(rows[3][2])
    (adaptive,) = solver_rows(EvalConfig(solvers=("dopri5",), tolerance=0.25))
    assert adaptive[2] == make_solver("dopri5", 1, 0.25) != make_solver("dopri5", 1, 0.5)
