"""Table of solvers, and the rows of the evaluation table."""

import dataclasses

from symmflow_jax.config.choices import Choice, choose, listed
from symmflow_jax.config.values import EvalConfig
from symmflow_jax.flow.solvers.solver import Solve


@dataclasses.dataclass(frozen=True)
class SolverChoice(Choice):
    """A solver, made by `constructor(num_steps)`, or by `constructor(tolerance)` if adaptive.

    Attributes:
        adaptive: True if the solver chooses its own steps.
        no_density: reason not to integrate log densities with it, or "".
        takes_spans: True if the solver jumps along a flow map, which is of images alone.
    """

    adaptive: bool = False
    no_density: str = ""
    takes_spans: bool = False


SOLVERS: dict[str, SolverChoice] = {
    "euler": SolverChoice(
        "symmflow_jax.flow.solvers.fixed_steps:euler",
        "order 1, one pass a step",
        no_density="its error flatters: on a mixture with an exact density, 25 steps overstate "
        "log p by 0.18 nats a point, where dopri5 at 1e-5 errs by 0.0000 (docs/likelihood.md)",
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
    "flow_map": SolverChoice(
        "symmflow_jax.flow.solvers.fixed_steps:flow_map",
        "jumps of a network that has learned a flow map; one pass each, of images alone",
        no_density="it jumps along a learned map, which has no divergence to integrate",
        takes_spans=True,
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


def is_adaptive(name: str) -> bool:
    """Tells if a solver chooses its own steps; raises ValueError for an unknown name."""
    return choose(SOLVERS, name, "The solver").adaptive


Row = tuple[str, int | None, Solve]
"""Name, number of steps (None if adaptive) and solver of a row of the evaluation table."""


def make_density_solver(config: EvalConfig) -> Row:
    """Name, number of steps (None if adaptive) and solver of log densities.

    Raises:
        ValueError: if the solver is not fit for densities.
    """
    name = config.likelihood_solver
    choice = choose(SOLVERS, name, "config.eval.likelihood_solver")
    if choice.no_density:
        fit = [other for other, solver in SOLVERS.items() if not solver.no_density]
        raise ValueError(
            f"config.eval.likelihood_solver is {name!r}, but {choice.no_density}; choose one of "
            f"{listed(fit)}."
        )
    return _row(name, config.likelihood_steps, config.likelihood_tolerance)


def solver_rows(config: EvalConfig, *, of_images: bool = True) -> list[Row]:
    """The rows of the table.

    Args:
        config: the evaluation.
        of_images: whether images are made; semantics have no rows of solvers for images alone.
    """
    return [
        _row(name, num_steps, config.tolerance)
        for name in config.solvers
        if of_images or not SOLVERS[name].takes_spans
        for num_steps in config.num_steps[: 1 if SOLVERS[name].adaptive else None]
    ]


def generation_row(config: EvalConfig) -> Row:
    """The row of the images that are read back or shown."""
    return _row(config.generation_solver, config.generation_steps, config.tolerance)


def _row(name: str, num_steps: int, tolerance: float) -> Row:
    solve = make_solver(name, num_steps, tolerance)
    return name, None if SOLVERS[name].adaptive else num_steps, solve
