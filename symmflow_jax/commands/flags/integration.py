"""Flags of the integration from noise, and the model that it runs."""

import dataclasses
import pathlib
from typing import TYPE_CHECKING

from absl import flags

from symmflow_jax.config import command_line
from symmflow_jax.config.reading.range_flags import define_number
from symmflow_jax.config.schema.ranges import at_least, between

if TYPE_CHECKING:
    from symmflow_jax.config.build.experiment import Experiment
    from symmflow_jax.inference.model import Model

SEED = define_number("seed", 0, "Seed of the noise.", int, between(0, 2**32 - 1))
NUM_STEPS = define_number(
    "num_steps",
    None,
    "Steps of the solver: 25 to generate and sample, 1 to segment and classify, if it is not "
    "given; (export to stablehlo) those of all functions. Not for the adaptive dopri5, which takes "
    "--config.eval.tolerance.",
    int,
    at_least(1),
)
SOLVER = flags.DEFINE_string(
    "solver",
    "euler",
    "Solver, a name in docs/choices.md; (evaluate) the only one of the table, instead of "
    "config.eval.solvers. To generate images, midpoint with half of the steps is nearer to the "
    "flow than euler at the same cost (docs/likelihood.md).",
)
NUM_DRAWS = define_number(
    "num_draws", 1, "Noise samples for each image; their predictions vote.", int, at_least(1)
)


def num_steps(experiment: "Experiment", default: int) -> int | None:
    """The number of steps; None for an adaptive solver.

    Raises:
        ValueError: if there is no such solver, or if an adaptive one is given a number of steps.
    """
    if not experiment.is_adaptive(SOLVER.value):
        return default if NUM_STEPS.value is None else NUM_STEPS.value
    if NUM_STEPS.value is not None:
        raise ValueError(
            f"--num_steps={NUM_STEPS.value} is given, but --solver={SOLVER.value} chooses its "
            "own steps; leave it out, or set --config.eval.tolerance."
        )
    return None


def with_solver(experiment: "Experiment") -> "Experiment":
    """The experiment with the solver of `--solver` alone, if that is given."""
    if not flags.FLAGS["solver"].present:
        return experiment
    if "eval.solvers" in command_line.given_keys():
        raise ValueError(
            "--solver and --config.eval.solvers are both given; leave one out. --solver measures "
            "one solver, --config.eval.solvers several."
        )
    experiment.is_adaptive(SOLVER.value)  # Names an unknown solver.
    return experiment.changed({"eval.solvers": (SOLVER.value,)})


def load(experiment: "Experiment", workdir: pathlib.Path) -> "Model":
    """The model of the workdir, with the tolerance of the command."""
    from symmflow_jax.inference import loading

    loaded, given = loading.load(workdir, experiment.eval.checkpoint), tolerance(experiment)
    if given is None:
        return loaded
    return dataclasses.replace(loaded, experiment=loaded.experiment.with_tolerance(given))


def tolerance(experiment: "Experiment") -> float | None:
    """The tolerance of adaptive solvers, if the command gives one; None for that of the run."""
    return experiment.eval.tolerance if "eval.tolerance" in command_line.given_keys() else None
