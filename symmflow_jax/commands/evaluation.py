"""Evaluation of trained weights."""

import pathlib
from typing import TYPE_CHECKING

from symmflow_jax.commands.flags import integration, paths
from symmflow_jax.commands.mode import FILES, Mode

if TYPE_CHECKING:
    from symmflow_jax.config.build.experiment import Experiment


def _evaluate(experiment: "Experiment", workdir: pathlib.Path) -> None:
    """Takes data and measurements from the command, and all of the model from the checkpoint."""
    from symmflow_jax.evaluation.evaluator import EvaluatedWeights, evaluator_of
    from symmflow_jax.evaluation.report.place import check_place
    from symmflow_jax.evaluation.report.report import log_scores, report_evaluation
    from symmflow_jax.runtime.cluster import session

    experiment = integration.with_solver(experiment)
    model = integration.load(experiment, workdir)
    measured = model.experiment.measured_as(experiment)
    output = paths.output(workdir)
    check_place(output, workdir, measured, overwrite=paths.OVERWRITE.value)
    evaluator = evaluator_of(measured, output)
    evaluated = EvaluatedWeights.of(model)
    with session.stage():
        table = report_evaluation(evaluator, evaluated, workdir, output)
        log_scores(table, output)


EVALUATE = Mode(
    _evaluate,
    "measures the weights in the workdir",
    (*FILES, "solver"),
    ("seed", "data", "eval", "guidance"),
    several=True,
)
