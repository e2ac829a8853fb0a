"""Scores of masks: from a confusion matrix of pixels, boundaries and single images."""

import dataclasses

import numpy as np

from symmflow_jax.evaluation.measurement import Protocol, Scores
from symmflow_jax.metrics import confusion
from symmflow_jax.metrics.masks.overlap import MaskOverlap
from symmflow_jax.semantics.labels import LabelSchema


def segmentation(
    counts: np.ndarray,
    schema: LabelSchema,
    scored_size: str,
    protocol: Protocol,
    num_examples: int,
    nfe: float | None,
    overlap: MaskOverlap | None = None,
) -> Scores:
    """Scores of masks from a confusion matrix of pixels, and from their overlap.

    Args:
        counts: int64 `[classes, classes]`; rows are the true classes.
        schema: the classes.
        scored_size: "model" or "original", as in `Protocol`.
        protocol: the protocol of the scores.
        num_examples: number of examples.
        nfe: mean number of network passes for each example, or None.
        overlap: boundaries and single images, for more scores; None for those of pixels alone.
    """
    ignored = schema.ignored
    values = {
        "miou": confusion.mean_iou(counts, ignored),
        "pixel_accuracy": confusion.accuracy(counts, ignored),
        "frequency_weighted_iou": confusion.frequency_weighted_iou(counts, ignored),
    }
    by_class = {"iou": confusion.class_iou(counts, ignored)}
    if overlap is not None:
        by_class |= {
            "dice": confusion.class_dice(counts, ignored),
            "boundary_iou": overlap.class_boundary_iou(ignored),
            "precision": confusion.class_precision(counts, ignored),
            "recall": confusion.class_recall(counts, ignored),
        }
        means = ("dice", "boundary_iou")
        values |= {name: confusion.mean_over_classes(by_class[name]) for name in means}
        values |= overlap.mean_by_image()
    return Scores(
        values=values,
        num_examples=num_examples,
        nfe=nfe,
        by_class={name: _named(schema, scores) for name, scores in by_class.items()},
        protocol=dataclasses.replace(protocol, scored_size=scored_size),
    )


def _named(schema: LabelSchema, scores: np.ndarray) -> dict[str, float]:
    """The scores that are defined, by the name of their class."""
    named = zip(schema.names, scores.tolist(), strict=True)
    return {name: value for name, value in named if np.isfinite(value)}
