"""The best of many made pairs, by how well the model's own reading agrees with them."""

import dataclasses
from collections.abc import Iterator

import jax
import numpy as np

from symmflow_jax.inference.compiled.predictions import Sample
from symmflow_jax.inference.model import Model
from symmflow_jax.runs.pictures import grids
from symmflow_jax.semantics.labels import LabelSchema

_MOST_SHOWN = 48
_PAIRS_PER_ROW = 6


@dataclasses.dataclass(frozen=True)
class RankedPair:
    """A made pair.

    Attributes:
        number: its number among all that were made.
        image: uint8 `[height, width, channels]`, or a point, float32 `[n]`.
        labels: int32 `[height, width]` or `[]`.
        agreement: see `agreements`.
    """

    number: int
    image: np.ndarray
    labels: np.ndarray
    agreement: float


def agreements(model: Model, made: Sample, key: jax.Array) -> np.ndarray:
    """How well the model's own one-step reading of made images agrees with their labels.

    Args:
        model: the model that made them.
        made: images and masks or labels, `[batch, ...]`.
        key: origin of the noise.

    Returns:
        float64 `[batch]` in [0, 1]: of masks, the share of the pixels that are read as they were
        made; of labels, the probability of the label, or without probabilities the confidence in
        it, and one minus the confidence in another one.
    """
    labels = np.asarray(made.labels)
    found = model.predict_semantics(np.asarray(made.images), key)
    is_equal = np.asarray(found.labels) == labels
    if labels.ndim > 1:
        return np.mean(is_equal, axis=tuple(range(1, labels.ndim)))
    if found.probabilities is not None:
        return np.take_along_axis(np.asarray(found.probabilities), labels[:, None], axis=1)[:, 0]
    confidence = np.asarray(found.confidence, np.float64)
    return np.where(is_equal, confidence, 1.0 - confidence)


def best(pairs: Iterator[RankedPair], count: int) -> list[RankedPair]:
    """The `count` pairs that agree best, in the order of their making; earlier ones win ties.

    Only as many are held in memory, and one batch.
    """
    kept: list[RankedPair] = []
    for pair in pairs:
        kept.append(pair)
        if len(kept) >= 2 * count:
            kept = _first(kept, count)
    return sorted(_first(kept, count), key=lambda pair: pair.number)


def _first(pairs: list[RankedPair], count: int) -> list[RankedPair]:
    return sorted(pairs, key=lambda pair: (-pair.agreement, pair.number))[:count]


def contact_sheet(pairs: list[RankedPair], schema: LabelSchema) -> np.ndarray:
    """A picture of the first pairs of masks, uint8 `[height, width, 3]`: image beside mask.

    Above each image is the number of its file, and its agreement above its mask.
    """
    shown = [
        [
            (f"{index:06d}", pair.image),
            (f"{pair.agreement:.3f}", schema.colourize(pair.labels)),
        ]
        for index, pair in enumerate(pairs[:_MOST_SHOWN])
    ]
    rows = [
        [tile for pair in shown[start : start + _PAIRS_PER_ROW] for tile in pair]
        for start in range(0, len(shown), _PAIRS_PER_ROW)
    ]
    return grids.tiles(rows)
