"""Table of solvers, and the rows of the evaluation table."""

import dataclasses

from symmflow_jax.config.choices import Choice, choose
from symmflow_jax.config.values import EvalConfig
from symmflow_jax.flow.solvers.solver import Solve


@dataclasses.dataclass(frozen=True)
class SolverChoice(Choice):
    """A solver, made by `constructor(num_steps)`, or by `constructor(tolerance)` if adaptive.

    Attributes:
        adaptive: True if the solver chooses its own steps.
    """

    adaptive: bool = False


SOLVERS: dict[str, SolverChoice] = {
    "euler": SolverChoice(
        "symmflow_jax.flow.solvers.fixed_steps:euler", "order 1, one pass a step"
    ),
    "midpoint": SolverChoice(
        "symmflow_jax.flow.solvers.fixed_steps:midpoint", "order 2, two passes a step"
    ),
    "heun": SolverChoice(
        "symmflow_jax.flow.solvers.fixed_steps:heun", "order 2, two passes a step"
    ),
    "rk4": SolverChoice("symmflow_jax.flow.solvers.fixed_steps:rk4", "order 4, four passes a step"),
    "rk4_three_eighths": SolverChoice(
        "symmflow_jax.flow.solvers.fixed_steps:rk4_three_eighths",
        "order 4, four passes a step; called rk4 by torchdiffeq and by the published code",
    ),
    "dopri5": SolverChoice(
        "symmflow_jax.flow.solvers.adaptive:DormandPrince",
        "order 5, adaptive: as many steps as the tolerance asks for",
        adaptive=True,
    ),
}
"""The values of `config.eval.solvers`."""


def make_solver(name: str, num_steps: int, tolerance: float) -> Solve:
    """Makes a solver; fixed-step solvers use `num_steps`, adaptive ones `tolerance`.

    Raises:
        ValueError: if there is no solver of that name.
    """
    choice = choose(SOLVERS, name, "The solver")
    return choice.resolve()(tolerance if choice.adaptive else num_steps)


def solver_rows(config: EvalConfig) -> list[tuple[str, int | None, Solve]]:
    """Name, number of steps (None if adaptive) and solver of each row of the table."""
    rows: list[tuple[str, int | None, Solve]] = []
    for name in config.solvers:
        for num_steps in (None,) if SOLVERS[name].adaptive else config.num_steps:
            rows.append((name, num_steps, make_solver(name, num_steps or 1, config.tolerance)))
    return rows
