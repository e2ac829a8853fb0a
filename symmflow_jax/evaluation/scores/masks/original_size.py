"""Masks compared at the images' own size, whole images by the views of inference."""

import collections
from collections.abc import Iterator
from typing import Any

import numpy as np

from symmflow_jax.data.geometry.canvas import View
from symmflow_jax.data.transforms import resize_mask
from symmflow_jax.evaluation.evaluator import EvaluatedWeights, Evaluator
from symmflow_jax.evaluation.measurement import Protocol
from symmflow_jax.evaluation.scores.tally import Tally
from symmflow_jax.flow import keys
from symmflow_jax.flow.keys import Stream
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference.canvas.reading import Picture, reader_of
from symmflow_jax.inference.compiled.predictions import SemanticsPrediction


def count_enlarged_parts(evaluator: Evaluator, batch: Any, result: SemanticsPrediction) -> Tally:
    """The counts of a batch at the masks' own size, in the part that the model's size shows.

    Predictions are enlarged by nearest neighbours, on the host, since the sizes differ.
    """
    preparation = evaluator.experiment.evaluation_preparation
    tally = Tally.empty(evaluator.schema.num_classes)
    arrays = (np.asarray(array) for array in (result.labels, result.nfe, batch.valid))
    for mask, nfe, valid, original in zip(*arrays, batch.original_labels, strict=True):
        if valid:
            shown = preparation.content(original.shape)
            enlarged = resize_mask(mask[shown.rows, shown.columns], original.shape)
            tally = tally.merge(Tally.of_masks(original, enlarged, nfe, evaluator.schema))
    return tally


def count_whole_images(
    evaluator: Evaluator,
    evaluated: EvaluatedWeights,
    solve: Solve,
    protocol: Protocol,
    view: View,
    num_examples: int,
) -> Tally:
    """The counts of whole images that are read, at their masks' own size.

    Args:
        evaluator: method and examples.
        evaluated: the weights.
        solve: the solver.
        protocol: the protocol of the scores, with one seed.
        view: how images are read.
        num_examples: number of examples; 0 takes the whole split.
    """
    tally = Tally.empty(evaluator.schema.num_classes)
    key = keys.of_seed(protocol.seeds[0], Stream.EVALUATION)
    ahead: collections.deque[np.ndarray] = collections.deque()
    indices: list[int] = []

    def pictures() -> Iterator[Picture]:
        for index, example in evaluator.whole_examples(num_examples):
            indices.append(index)
            ahead.append(np.asarray(example["labels"]))
            yield example["image"]

    readings = reader_of(evaluator.experiment, evaluated.weights).read(
        pictures(),
        lambda number: (key, indices[number]),
        view,
        solve,
        protocol.ensemble_size,
        clip=evaluator.experiment.clips_masks,
    )
    for reading in readings:
        masks = ahead.popleft(), reading.labels
        tally = tally.merge(Tally.of_masks(*masks, reading.nfe, evaluator.schema))
    return tally
