"""Scores of generated images from the model's own one-step predictions of their labels."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from clu import metrics

from symmflow_jax.codecs import images
from symmflow_jax.data.batch import Pixels, Signals
from symmflow_jax.evaluation.evaluator import EvaluatedWeights, Evaluator, Samples
from symmflow_jax.evaluation.findings import Findings, Metric, table_over_seeds
from symmflow_jax.evaluation.measurement import Protocol, Scores
from symmflow_jax.evaluation.scores.masks.segmentation import segmentation
from symmflow_jax.evaluation.scores.tally import average, count
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.flow.objectives.errors import mean_squared_error
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.runge_kutta import EULER
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference.compiled.predictions import SemanticsPrediction
from symmflow_jax.metrics import confusion
from symmflow_jax.metrics.confusion import ConfusionMatrix
from symmflow_jax.runtime import processes

_ONCE = FixedSteps(EULER, 1)


def make_agreement(evaluator: Evaluator) -> Metric:
    """Makes the metric of `agreement`, for all seeds."""
    return _over_seeds(evaluator, agreement)


def make_cycle(evaluator: Evaluator) -> Metric:
    """Makes the metric of `cycle`, for all seeds."""
    return _over_seeds(evaluator, cycle)


def _over_seeds(evaluator: Evaluator, score: Callable[..., Scores]) -> Metric:
    values = evaluator.experiment.eval
    solver, num_steps, solve = evaluator.experiment.generation_row
    guidance = evaluator.guidance(num_steps)

    def of_seed(evaluated: EvaluatedWeights, seed: int) -> Scores:
        protocol = evaluator.row_protocol("generation", evaluated, seed, solver, num_steps)
        protocol = dataclasses.replace(protocol, guidance=str(guidance) or None)
        return score(evaluator, evaluated, solve, guidance, protocol, values.num_generated)

    def measure(evaluated: EvaluatedWeights) -> Findings:
        return Findings(table_over_seeds([[of_seed(evaluated, seed)] for seed in evaluator.seeds]))

    return measure


def agreement(
    evaluator: Evaluator,
    evaluated: EvaluatedWeights,
    solve: Solve,
    guidance: Guidance,
    protocol: Protocol,
    num_examples: int,
) -> Scores:
    """Scores the agreement of generated images with their labels.

    The labels of the generated images are predicted in one step.

    Args:
        evaluator: method and examples.
        evaluated: the weights.
        solve: the solver of the generation.
        guidance: the guidance of the generation.
        protocol: the protocol of the scores, with one seed.
        num_examples: number of examples, whose labels are the conditions; 0 takes all of the split.
    """
    counts, nfe = ConfusionMatrix.empty(evaluator.schema.num_classes), metrics.Average.empty()
    seed = protocol.seeds[0]
    for batch in evaluator.batches(num_examples):
        generated, predicted = _generate_and_predict(
            evaluator, evaluated, seed, batch, solve, guidance
        )
        counts = counts.merge(count(batch, predicted.labels, evaluator.schema.num_classes))
        nfe = nfe.merge(average(generated.nfe, batch.valid))
    matrix, nfe = processes.sum_over_processes((counts.compute(), nfe))
    return _scores("agreement", evaluator, matrix, nfe, protocol)


def cycle(
    evaluator: Evaluator,
    evaluated: EvaluatedWeights,
    solve: Solve,
    guidance: Guidance,
    protocol: Protocol,
    num_examples: int,
) -> Scores:
    """Scores the cycle from real images to predicted labels to generated images to labels.

    The labels of an image are predicted in one step. A second image is generated from them, and
    its labels are predicted in one step too. `cycle_rmse` is the root mean square difference of
    the two images, with pixels in [-1, 1]. The other scores compare the two predictions; the
    first one serves as the target. The arguments are as in `agreement`.
    """
    counts, nfe = ConfusionMatrix.empty(evaluator.schema.num_classes), metrics.Average.empty()
    squares, seed = metrics.Average.empty(), protocol.seeds[0]
    for batch in evaluator.batches(num_examples):
        targets = dataclasses.replace(
            batch, labels=_predict_real(evaluator, evaluated, seed, batch).labels
        )
        generated, predicted = _generate_and_predict(
            evaluator, evaluated, seed, targets, solve, guidance
        )
        counts = counts.merge(count(targets, predicted.labels, evaluator.schema.num_classes))
        nfe = nfe.merge(average(generated.nfe, batch.valid))
        square = _mean_square_difference(batch.image.values, generated.images)
        squares = squares.merge(average(square, batch.valid))
    matrix, nfe, squares = processes.sum_over_processes((counts.compute(), nfe, squares))
    scores = _scores("cycle", evaluator, matrix, nfe, protocol)
    rmse = float(np.sqrt(squares.compute()))
    return dataclasses.replace(scores, values={"cycle_rmse": rmse} | scores.values)


def examples(
    evaluator: Evaluator, evaluated: EvaluatedWeights, num_examples: int
) -> dict[str, np.ndarray]:
    """A few examples with the model's generated images and predicted labels, for a grid.

    Returns:
        `image` and `labels` of examples spread over the split, `generated` images of these
        labels, and `predicted` labels of these images, `[num_examples, ...]`. Without semantics
        only `image` and `generated`; and no column of a task that is not learned.
    """
    batch = next(evaluator.batches(num_examples, spread=True))
    seed = evaluator.experiment.seed
    _, num_steps, solve = evaluator.experiment.generation_row
    guidance = evaluator.guidance(num_steps)
    columns = {"image": batch.image.values}
    if evaluator.method.time_sampling.learns_images:
        made = evaluator.generate(evaluated, seed, batch, batch.labels, solve, guidance)
        columns["generated"] = made.images
    if evaluator.experiment.data.image_size:
        shown = evaluator.experiment.photos.picture
        columns = {name: shown(np.asarray(values)) for name, values in columns.items()}
    if not evaluator.method.is_unconditional:
        columns["labels"] = batch.labels
    if evaluator.method.time_sampling.learns_semantics:
        columns["predicted"] = _predict_real(evaluator, evaluated, seed, batch).labels
    return {name: np.asarray(array)[:num_examples] for name, array in columns.items()}


def _generate_and_predict(
    evaluator: Evaluator,
    evaluated: EvaluatedWeights,
    seed: int,
    batch: Any,
    solve: Solve,
    guidance: Guidance,
) -> tuple[Samples, SemanticsPrediction]:
    """Generates images from a batch's labels, and predicts their labels in one step."""
    generated = evaluator.generate(evaluated, seed, batch, batch.labels, solve, guidance)
    # Generated images are pixels, also where the real ones are signals.
    is_signal = isinstance(batch.image, Signals)
    image = Pixels(generated.images) if is_signal else batch.with_images(generated.images).image
    return generated, evaluator.predict_semantics(evaluated, seed, batch, image, solve=_ONCE)


def _predict_real(
    evaluator: Evaluator, evaluated: EvaluatedWeights, seed: int, batch: Any
) -> SemanticsPrediction:
    """Predicts the labels of a batch's own images in one step."""
    image = evaluator.real_images(seed, batch)
    return evaluator.predict_semantics(evaluated, seed, batch, image, solve=_ONCE)


@jax.jit
def _mean_square_difference(first: jax.Array, second: jax.Array) -> jax.Array:
    """Mean squared difference of two batches of images or points as signals, float32 `[batch]`."""
    return mean_squared_error(images.to_signal(first), images.to_signal(second))


def _scores(
    name: str, evaluator: Evaluator, matrix: np.ndarray, nfe: metrics.Average, protocol: Protocol
) -> Scores:
    """Scores of a confusion matrix, each named `<name>_<score>`."""
    schema, cost, num_scored = evaluator.schema, float(nfe.compute()), int(nfe.count)
    if evaluator.task == "segmentation":
        scores = segmentation(matrix, schema, "model", protocol, num_scored, cost)
        values, protocol = scores.values, scores.protocol
    else:
        values = {"accuracy": confusion.accuracy(matrix, schema.ignored)}
    renamed = {f"{name}_{score}": value for score, value in values.items()}
    return Scores(values=renamed, num_examples=num_scored, nfe=cost, protocol=protocol)
