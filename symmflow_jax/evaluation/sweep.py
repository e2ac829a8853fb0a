"""The sweep: every solver, number of steps and seed that the config asks for, in one run."""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from symmflow_jax.evaluation import generation, recognition, sample_quality, tables
from symmflow_jax.evaluation.evaluator import Evaluator, Trained
from symmflow_jax.evaluation.measurement import Measurement, Protocol, Scores, over_seeds
from symmflow_jax.evaluation.recognition import Recognized
from symmflow_jax.evaluation.sample_quality import Judges
from symmflow_jax.flow.solvers import EULER, FixedSteps, Solve
from symmflow_jax.metrics.calibration import RiskCoverage


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What an evaluation has found.

    Attributes:
        table: the scores.
        confusion: counts of the first row and seed, int64 `[classes, classes]`; rows are the
            true classes, columns the recognised ones.
        risk_coverage: by row, the error rate of the first seed's answers as the least sure are
            left out.
    """

    table: list[Measurement]
    confusion: np.ndarray
    risk_coverage: dict[str, RiskCoverage]


def measure(evaluator: Evaluator, trained: Trained) -> Evaluation:
    """Every score that the config asks for."""
    config, seeds = evaluator.experiment.eval, evaluator.seeds
    # First, since their weights may turn out to be of another network.
    judges = sample_quality.judges_of(evaluator) if config.num_feature_samples else None
    table, matrices, risk_coverage = [], [], {}
    for name, num_steps, solve in evaluator.experiment.solver_rows():
        row = functools.partial(_recognize, evaluator, trained, name, num_steps, solve)
        repeats = [row(seed) for seed in seeds]
        matrices.append(repeats[0].counts)
        row_name = tables.row_name(repeats[0].scores[0].protocol)
        risk_coverage[row_name] = repeats[0].answers.risk_coverage()
        table += _over_seeds([repeat.scores for repeat in repeats])
    for score in (generation.agreement, generation.cycle):
        table += _over_seeds([[_generation(evaluator, trained, seed, score)] for seed in seeds])
    if judges is not None:
        table += _sample_quality(evaluator, trained, judges)
    table += _over_seeds(
        [[_objective(evaluator, trained, seed, config.num_examples)] for seed in seeds]
    )
    return Evaluation(table, matrices[0], risk_coverage)


def measure_quickly(evaluator: Evaluator, trained: Trained) -> list[Measurement]:
    """The one-step score and the loss on a few examples, to watch a training by."""
    num_examples, seed = evaluator.experiment.eval.num_quick_examples, evaluator.experiment.seed
    protocol = evaluator.protocol(evaluator.task, trained, seed, solver="euler", num_steps=1)
    once = FixedSteps(EULER, 1)
    found = recognition.recognize(evaluator, trained, once, protocol, num_examples=num_examples)
    return _over_seeds([[*found.scores, _objective(evaluator, trained, seed, num_examples)]])


def _sample_quality(evaluator: Evaluator, trained: Trained, judges: Judges) -> list[Measurement]:
    """What generated images are like, for every solver and number of steps."""
    table = []
    for name, num_steps, solve in evaluator.experiment.solver_rows():
        repeats = []
        for seed in evaluator.seeds:
            protocol = _row_protocol(evaluator, "generation", trained, name, num_steps, seed)
            guidance = str(evaluator.guidance(num_steps)) or None
            protocol = dataclasses.replace(protocol, guidance=guidance)
            repeats.append(
                sample_quality.sample_quality(evaluator, trained, solve, protocol, judges)
            )
        table += _over_seeds(repeats)
    return table


def _recognize(
    evaluator: Evaluator,
    trained: Trained,
    name: str,
    num_steps: int | None,
    solve: Solve,
    seed: int,
) -> Recognized:
    config = evaluator.experiment.eval
    protocol = _row_protocol(evaluator, evaluator.task, trained, name, num_steps, seed)
    protocol = dataclasses.replace(protocol, num_draws=config.num_draws)
    return recognition.recognize(
        evaluator,
        trained,
        solve,
        protocol,
        num_examples=config.num_examples,
        original_size=config.original_size,
    )


def _row_protocol(
    evaluator: Evaluator,
    task: str,
    trained: Trained,
    name: str,
    num_steps: int | None,
    seed: int,
) -> Protocol:
    """The protocol of one solver and number of steps; without the latter it is adaptive."""
    tolerance = evaluator.experiment.eval.tolerance if num_steps is None else None
    return evaluator.protocol(
        task, trained, seed, solver=name, num_steps=num_steps, tolerance=tolerance
    )


def _generation(
    evaluator: Evaluator, trained: Trained, seed: int, score: Callable[..., Scores]
) -> Scores:
    """The agreement or the cycle score."""
    config = evaluator.experiment.eval
    num_steps = config.generation_steps
    guidance = evaluator.guidance(num_steps)
    protocol = evaluator.protocol(
        "generation",
        trained,
        seed,
        solver="euler",
        num_steps=num_steps,
        guidance=str(guidance) or None,
    )
    solve = FixedSteps(EULER, num_steps)
    return score(evaluator, trained, solve, guidance, protocol, config.num_generated)


def _objective(evaluator: Evaluator, trained: Trained, seed: int, num_examples: int) -> Scores:
    protocol = evaluator.protocol("objective", trained, seed)
    return recognition.objective(evaluator, trained, protocol, num_examples)


def _over_seeds(repeats: list[list[Scores]]) -> list[Measurement]:
    """The measurements of passes with one seed each, which give the same kinds of scores."""
    return [m for same in zip(*repeats, strict=True) for m in over_seeds(same)]
