"""Scores of generated images without another network: they are read back in one step."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from clu import metrics

from symmflow_jax.codecs import images
from symmflow_jax.evaluation.evaluator import EvaluatedWeights, Evaluator
from symmflow_jax.evaluation.findings import Findings, Metric, table_over_seeds
from symmflow_jax.evaluation.measurement import Protocol, Scores
from symmflow_jax.evaluation.scores.recognition import average, count, segmentation
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.flow.objectives.errors import mean_squared_error
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.runge_kutta import EULER
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference import predictions
from symmflow_jax.inference.predictions import Generation, SemanticsPrediction
from symmflow_jax.metrics import confusion
from symmflow_jax.metrics.confusion import ConfusionMatrix
from symmflow_jax.runtime import processes


def make_agreement(evaluator: Evaluator) -> Metric:
    """How far generated images agree with their conditions, for every seed."""
    return _over_seeds(evaluator, agreement)


def make_cycle(evaluator: Evaluator) -> Metric:
    """What comes back of real images by way of their predicted labels, for every seed."""
    return _over_seeds(evaluator, cycle)


def _over_seeds(evaluator: Evaluator, score: Callable[..., Scores]) -> Metric:
    values = evaluator.experiment.eval
    num_steps = values.generation_steps
    guidance, solve = evaluator.guidance(num_steps), FixedSteps(EULER, num_steps)

    def of_seed(trained: EvaluatedWeights, seed: int) -> Scores:
        protocol = evaluator.protocol(
            "generation",
            trained,
            seed,
            solver="euler",
            num_steps=num_steps,
            guidance=str(guidance) or None,
        )
        return score(evaluator, trained, solve, guidance, protocol, values.num_generated)

    def measure(trained: EvaluatedWeights) -> Findings:
        return Findings(table_over_seeds([[of_seed(trained, seed)] for seed in evaluator.seeds]))

    return measure


def agreement(
    evaluator: Evaluator,
    trained: EvaluatedWeights,
    solve: Solve,
    guidance: Guidance,
    protocol: Protocol,
    num_examples: int,
) -> Scores:
    """How far generated images, read back in one step, agree with their conditions.

    Args:
        evaluator: method and examples.
        trained: what is measured.
        solve: the solver of the generation.
        guidance: its guidance.
        protocol: that of the scores, with one seed.
        num_examples: examples whose labels are the conditions; 0 takes the whole split.
    """
    counts, nfe = ConfusionMatrix.empty(evaluator.schema.num_classes), metrics.Average.empty()
    seed = protocol.seeds[0]
    for batch in evaluator.batches(num_examples):
        made, again = _make_and_read(evaluator, trained, seed, batch, solve, guidance)
        counts = counts.merge(count(batch, again.labels, evaluator.schema.num_classes))
        nfe = nfe.merge(average(made.nfe, batch.valid))
    matrix, nfe = processes.sum_over_processes((counts.compute(), nfe))
    return _scores("agreement", evaluator, matrix, nfe, protocol)


def cycle(
    evaluator: Evaluator,
    trained: EvaluatedWeights,
    solve: Solve,
    guidance: Guidance,
    protocol: Protocol,
    num_examples: int,
) -> Scores:
    """What comes back of real images by way of the labels that are recognised in them.

    An image is read in one step, another one is generated from what was read, and that one is
    read again. `cycle_rmse` is the root mean square difference of the two images in units of
    the signal, in which pixels go from -1 to 1; the other scores compare the two readings, the
    first one taken for the truth. The arguments are as in `agreement`.
    """
    counts, nfe = ConfusionMatrix.empty(evaluator.schema.num_classes), metrics.Average.empty()
    squares, seed = metrics.Average.empty(), protocol.seeds[0]
    for batch in evaluator.batches(num_examples):
        read = dataclasses.replace(batch, labels=_read(evaluator, trained, seed, batch).labels)
        made, again = _make_and_read(evaluator, trained, seed, read, solve, guidance)
        counts = counts.merge(count(read, again.labels, evaluator.schema.num_classes))
        nfe = nfe.merge(average(made.nfe, batch.valid))
        square = _mean_square_difference(batch.image.values, made.images)
        squares = squares.merge(average(square, batch.valid))
    matrix, nfe, squares = processes.sum_over_processes((counts.compute(), nfe, squares))
    scores = _scores("cycle", evaluator, matrix, nfe, protocol)
    rmse = float(np.sqrt(squares.compute()))
    return dataclasses.replace(scores, values={"cycle_rmse": rmse} | scores.values)


def examples(
    evaluator: Evaluator, trained: EvaluatedWeights, num_examples: int
) -> dict[str, np.ndarray]:
    """A few examples beside what the model makes of them, for pictures.

    Returns:
        `image` and `labels` of examples from all over the split, `generated` images of these
        labels and `predicted` labels of these images, `[num_examples, ...]`.
    """
    batch = next(evaluator.batches(num_examples, spread=True))
    seed, config = evaluator.experiment.seed, evaluator.experiment.eval
    solve = FixedSteps(EULER, config.generation_steps)
    guidance = evaluator.guidance(config.generation_steps)
    generated = _make(evaluator, trained, seed, batch, solve, guidance)
    predicted = _read(evaluator, trained, seed, batch)
    pictures = {
        "image": batch.image.values,
        "labels": batch.labels,
        "generated": generated.images,
        "predicted": predicted.labels,
    }
    return {name: np.asarray(array)[:num_examples] for name, array in pictures.items()}


def _make(
    evaluator: Evaluator,
    trained: EvaluatedWeights,
    seed: int,
    batch: Any,
    solve: Solve,
    guidance: Guidance,
) -> Generation:
    """Images of a batch's labels."""
    return evaluator.call(
        predictions.generate, trained, seed, batch, batch.labels, solve=solve, guidance=guidance
    )


def _make_and_read(
    evaluator: Evaluator,
    trained: EvaluatedWeights,
    seed: int,
    batch: Any,
    solve: Solve,
    guidance: Guidance,
) -> tuple[Generation, SemanticsPrediction]:
    """Images of a batch's labels, and what is read in them in one step."""
    made = _make(evaluator, trained, seed, batch, solve, guidance)
    return made, _read(evaluator, trained, seed, batch.with_images(made.images))


def _read(
    evaluator: Evaluator, trained: EvaluatedWeights, seed: int, batch: Any
) -> SemanticsPrediction:
    """The labels of a batch's images in one step."""
    once = FixedSteps(EULER, 1)
    return evaluator.call(
        predictions.predict_semantics, trained, seed, batch, batch.image, solve=once
    )


@jax.jit
def _mean_square_difference(first: jax.Array, second: jax.Array) -> jax.Array:
    """Float32 `[batch]` of two batches of images or points, as signals."""
    return mean_squared_error(images.to_signal(first), images.to_signal(second))


def _scores(
    name: str, evaluator: Evaluator, matrix: np.ndarray, nfe: metrics.Average, protocol: Protocol
) -> Scores:
    """How far labels agree with others, read off a confusion matrix; `<name>_<score>`."""
    schema, cost, num_scored = evaluator.schema, float(nfe.compute()), int(nfe.count)
    if evaluator.task == "segmentation":
        scores = segmentation(matrix, schema, "model", protocol, num_scored, cost)
        values, protocol = scores.values, scores.protocol
    else:
        values = {"accuracy": confusion.accuracy(matrix, schema.ignored)}
    renamed = {f"{name}_{score}": value for score, value in values.items()}
    return Scores(values=renamed, num_examples=num_scored, nfe=cost, protocol=protocol)
