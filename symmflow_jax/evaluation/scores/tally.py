"""What is counted of predicted labels and masks beside the true ones, without padding."""

import functools
from typing import Any, NamedTuple

import jax
import numpy as np
from clu import metrics

from symmflow_jax.inference.compiled.predictions import SemanticsPrediction
from symmflow_jax.metrics.confusion import ConfusionMatrix
from symmflow_jax.metrics.masks.overlap import MaskOverlap
from symmflow_jax.semantics.labels import LabelSchema


class Tally(NamedTuple):
    """The counts of some examples.

    Attributes:
        counts: the confusion matrix of labels, or of pixels.
        overlap: boundaries and single images; zero for labels.
        nfe: network passes for each example, of which the windows of an image are several.
    """

    counts: ConfusionMatrix
    overlap: MaskOverlap
    nfe: metrics.Average

    @classmethod
    def empty(cls, num_classes: int) -> "Tally":
        """The counts of no example."""
        overlap = MaskOverlap.empty(num_classes)
        return cls(ConfusionMatrix.empty(num_classes), overlap, metrics.Average.empty())

    @classmethod
    def of_batch(cls, batch: Any, result: SemanticsPrediction, schema: LabelSchema) -> "Tally":
        """The counts of a batch and its predictions at the model's size, on the device."""
        num_classes = schema.num_classes
        overlap = MaskOverlap.empty(num_classes)
        if batch.labels.ndim > 1:
            arrays = batch.labels, result.labels, batch.valid
            overlap = _overlap(*arrays, num_classes, schema.ignored)
        counts = count(batch, result.labels, num_classes)
        return cls(counts, overlap, average(result.nfe, batch.valid))

    @classmethod
    def of_masks(
        cls, target: np.ndarray, prediction: np.ndarray, nfe: float, schema: LabelSchema
    ) -> "Tally":
        """The counts of one pair of int masks `[height, width]`, on the host."""
        masks, num_classes = (target, prediction), schema.num_classes
        return cls(
            ConfusionMatrix.from_masks(*masks, num_classes),
            MaskOverlap.from_masks(*masks, num_classes, schema.ignored),
            metrics.Average.from_model_output(np.asarray([nfe], np.float32)),
        )

    def merge(self, other: "Tally") -> "Tally":
        """The sum of both counts, on the host."""
        return Tally(*(mine.merge(of_other) for mine, of_other in zip(self, other, strict=True)))


def count(batch: Any, labels: Any, num_classes: int) -> ConfusionMatrix:
    """The confusion matrix of a batch's labels and predicted labels, without padding."""
    return _confusion(batch.labels, labels, batch.valid, num_classes)


def average(values: jax.Array, valid: Any) -> metrics.Average:
    """The mean of values `[batch]`, without padding."""
    return metrics.Average.from_model_output(values.astype(np.float32), mask=valid)


@functools.partial(jax.jit, static_argnums=3)
def _confusion(targets, labels, valid, num_classes: int) -> ConfusionMatrix:
    return ConfusionMatrix.from_labels(targets, labels, valid, num_classes)


@functools.partial(jax.jit, static_argnums=(3, 4))
def _overlap(targets, labels, valid, num_classes: int, ignored: tuple[int, ...]) -> MaskOverlap:
    return MaskOverlap.from_labels(targets, labels, valid, num_classes, ignored)
