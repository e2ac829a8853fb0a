"""Scores of predicting semantics: segmentation at one or two sizes, and classification."""

import dataclasses
import functools
import logging
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.evaluation.evaluator import EvaluatedWeights, Evaluator
from symmflow_jax.evaluation.findings import (
    Confusion,
    Findings,
    Metric,
    merged,
    table_over_seeds,
)
from symmflow_jax.evaluation.measurement import Protocol, Scores
from symmflow_jax.evaluation.scores.masks.original_size import (
    count_enlarged_parts,
    count_whole_images,
)
from symmflow_jax.evaluation.scores.masks.segmentation import segmentation
from symmflow_jax.evaluation.scores.tally import Tally
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference.compiled.predictions import SemanticsPrediction
from symmflow_jax.metrics import confusion
from symmflow_jax.metrics.calibration import ConfidenceBins
from symmflow_jax.runtime import processes
from symmflow_jax.semantics.kinds import SemanticsKind

_logger = logging.getLogger(__name__)

_UNITS = {SemanticsKind.MASK: "pixel", SemanticsKind.LABEL: "label"}


@dataclasses.dataclass(frozen=True)
class ScoredSemantics:
    """The scores of one pass, with the counts that they are computed from.

    Attributes:
        scores: scores at the model's size and, if requested, at the masks' own size.
        counts: the confusion matrix at the model's size, int64 `[classes, classes]`.
        answers: predicted labels, or pixels of predicted masks, binned by confidence.
    """

    scores: list[Scores]
    counts: np.ndarray
    answers: ConfidenceBins


def make_recognition(evaluator: Evaluator) -> Metric:
    """Makes the metric of predicted semantics, for all solvers, numbers of steps and seeds."""
    return of_rows(evaluator, _row)


def of_rows(evaluator: Evaluator, row: Callable[..., Findings]) -> Metric:
    """The metric whose findings are those of all rows of the table.

    Args:
        evaluator: method and examples.
        row: function of the evaluator, weights, and name, number of steps and solver of a row.
    """

    def measure(evaluated: EvaluatedWeights) -> Findings:
        return merged(
            row(evaluator, evaluated, *each)
            for each in evaluator.experiment.solver_rows(of_images=False)
        )

    return measure


def _row(
    evaluator: Evaluator,
    evaluated: EvaluatedWeights,
    solver: str,
    num_steps: int | None,
    solve: Solve,
) -> Findings:
    values = evaluator.experiment.eval
    repeats = [
        predict_semantics(
            evaluator,
            evaluated,
            solve,
            protocol,
            num_examples=values.num_examples,
            original_size=values.original_size,
        )
        for protocol in protocols(evaluator, evaluated, solver, num_steps)
    ]
    return findings_of_row(evaluator, repeats)


def protocols(
    evaluator: Evaluator, evaluated: EvaluatedWeights, solver: str, num_steps: int | None
) -> list[Protocol]:
    """The protocols of one row of the table, one for each seed."""
    ensemble_size = evaluator.experiment.eval.ensemble_size
    return [
        dataclasses.replace(
            evaluator.row_protocol(evaluator.task, evaluated, seed, solver, num_steps),
            ensemble_size=ensemble_size,
        )
        for seed in evaluator.seeds
    ]


def findings_of_row(evaluator: Evaluator, repeats: Sequence[ScoredSemantics]) -> Findings:
    """The findings of one row of the table from the scores of each seed."""
    name = repeats[0].scores[0].protocol.row
    return Findings(
        table_over_seeds([repeat.scores for repeat in repeats]),
        Confusion(repeats[0].counts, name, evaluator.task),
        {name: repeats[0].answers.risk_coverage()},
    )


def predict_semantics(
    evaluator: Evaluator,
    evaluated: EvaluatedWeights,
    solve: Solve,
    protocol: Protocol,
    *,
    num_examples: int,
    original_size: bool = False,
    observe: Callable[[Any, SemanticsPrediction], None] | None = None,
) -> ScoredSemantics:
    """Segments or classifies examples and compares the predictions with their labels.

    Args:
        evaluator: method and examples.
        evaluated: the weights.
        solve: the solver.
        protocol: the protocol of the scores, with one seed.
        num_examples: number of examples; 0 takes the whole split.
        original_size: whether masks are compared at their own size too. For that, predictions are
            enlarged by nearest neighbours to the part that the model's size shows, or, if the
            config has a view, whole images are read by it.
        observe: is called with each batch and its predictions.
    """
    schema, seed = evaluator.schema, protocol.seeds[0]
    tally = original = Tally.empty(schema.num_classes)
    answers = ConfidenceBins.empty()
    view = evaluator.experiment.evaluation_view(evaluated.native_scale) if original_size else None
    of_parts = original_size and view is None
    for batch in evaluator.batches(num_examples, original_labels=of_parts):
        result = evaluator.predict_semantics(
            evaluated,
            seed,
            batch,
            evaluator.real_images(seed, batch),
            solve=solve,
            ensemble_size=protocol.ensemble_size,
        )
        if observe is not None:
            observe(batch, result)
        tally = tally.merge(Tally.of_batch(batch, result, schema))
        answers = answers.merge(_by_confidence(batch.labels, result, batch.valid, schema.ignored))
        if of_parts:
            original = original.merge(count_enlarged_parts(evaluator, batch, result))
    if view is not None:
        original = count_whole_images(evaluator, evaluated, solve, protocol, view, num_examples)
    tally, original, answers = processes.sum_over_processes((tally, original, answers))
    _tell_if_nothing_counts(evaluator, tally)
    scores = _scores(evaluator, protocol, "model", tally)
    found = [dataclasses.replace(scores, values=scores.values | answers.compute())]
    if original_size:
        protocol = dataclasses.replace(protocol, view=str(view) if view else None)
        found.append(_scores(evaluator, protocol, "original", original))
    return ScoredSemantics(found, tally.counts.compute(), answers)


def _scores(evaluator: Evaluator, protocol: Protocol, scored_size: str, tally: Tally) -> Scores:
    """The scores of counts at one size, over all processes."""
    schema, counts = evaluator.schema, tally.counts.compute()
    num_scored, nfe = int(tally.nfe.count), float(tally.nfe.compute())
    if evaluator.experiment.kind is SemanticsKind.MASK:
        return segmentation(counts, schema, scored_size, protocol, num_scored, nfe, tally.overlap)
    values = {"accuracy": confusion.accuracy(counts, schema.ignored)}
    return Scores(values=values, num_examples=num_scored, nfe=nfe, protocol=protocol)


def _tell_if_nothing_counts(evaluator: Evaluator, tally: Tally) -> None:
    schema, experiment = evaluator.schema, evaluator.experiment
    num_examples, may_be_left_out = int(tally.nfe.count), schema.ignored or schema.unknown_ids
    counted = tally.counts.compute()[list(schema.scored)].any()
    if counted or not (may_be_left_out and num_examples):
        return
    names = ", ".join(repr(schema.names[number]) for number in schema.ignored)
    _warn_once(
        f"No {_UNITS[experiment.kind]} of {num_examples} examples of {experiment.dataset} "
        f"({experiment.data.eval_split}) counts: all are "
        f"{f'of the ignored class {names}' if names else 'ignored'}, so their scores "
        "are not defined. See config.data.ignored_id, and --mode=check_data."
    )


@functools.cache
def _warn_once(message: str) -> None:
    """Logs a message that every row and seed of a table would repeat."""
    _logger.warning("%s", message)


@functools.partial(jax.jit, static_argnums=3)
def _by_confidence(
    targets, result: SemanticsPrediction, valid, ignored: tuple[int, ...]
) -> ConfidenceBins:
    """Bins labels or pixels by confidence, without padding, ignored classes and unknown ones."""
    counts = valid.reshape(valid.shape + (1,) * (targets.ndim - 1)) & (targets >= 0)
    for label in ignored:
        counts = counts & (targets != label)
    counts = jnp.broadcast_to(counts, targets.shape)
    return ConfidenceBins.from_answers(result.confidence, result.labels == targets, counts)
