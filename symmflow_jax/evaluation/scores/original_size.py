"""Masks compared at the images' own size, whole images by the views of inference."""

import collections
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from clu import metrics

from symmflow_jax.data.geometry.canvas import View
from symmflow_jax.evaluation.evaluator import EvaluatedWeights, Evaluator
from symmflow_jax.evaluation.measurement import Protocol
from symmflow_jax.flow import keys
from symmflow_jax.flow.keys import Stream
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference.canvas.reading import Picture, reader_of
from symmflow_jax.metrics.confusion import ConfusionMatrix


class WholeCounts(NamedTuple):
    """The counts of one process.

    Attributes:
        counts: the confusion matrix of pixels.
        nfe: network passes for each image, of which the windows of an image are several.
    """

    counts: ConfusionMatrix
    nfe: metrics.Average


def count_whole_images(
    evaluator: Evaluator,
    evaluated: EvaluatedWeights,
    solve: Solve,
    protocol: Protocol,
    view: View,
    num_examples: int,
) -> WholeCounts:
    """Reads whole images and compares the masks at their own size.

    Args:
        evaluator: method and examples.
        evaluated: the weights.
        solve: the solver.
        protocol: the protocol of the scores, with one seed.
        view: how images are read.
        num_examples: number of examples; 0 takes the whole split.
    """
    num_classes = evaluator.schema.num_classes
    counts, nfe = ConfusionMatrix.empty(num_classes), metrics.Average.empty()
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
        counts = counts.merge(
            ConfusionMatrix.from_masks(ahead.popleft(), reading.labels, num_classes)
        )
        passes = np.asarray([reading.nfe], np.float32)
        nfe = nfe.merge(metrics.Average.from_model_output(passes))
    return WholeCounts(counts, nfe)
