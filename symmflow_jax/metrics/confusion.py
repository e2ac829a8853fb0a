"""The confusion matrix and its scores for segmentation and classification."""

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from clu import metrics


@flax.struct.dataclass
class ConfusionMatrix(metrics.Metric):
    """Counts `[num_classes, num_classes]`: rows are true, columns predicted classes.

    Batches are counted on the device in int32 and merged on the host in int64.
    """

    counts: jax.Array | np.ndarray

    @classmethod
    def empty(cls, num_classes: int) -> "ConfusionMatrix":
        """A matrix of zeros."""
        return cls(np.zeros((num_classes, num_classes), np.int64))

    @classmethod
    def from_labels(
        cls, targets: jax.Array, predictions: jax.Array, valid: jax.Array, num_classes: int
    ) -> "ConfusionMatrix":
        """Counts of a batch, on the device.

        Args:
            targets: int `[batch, ...]` in 0..num_classes-1; unknown ones are negative and do not
                count.
            predictions: int array of the same shape.
            valid: bool `[batch]`; padding does not count.
            num_classes: number of classes.
        """
        valid = valid.reshape(valid.shape + (1,) * (targets.ndim - 1))
        pairs = targets * num_classes + predictions
        # One additional bin takes the examples that do not count.
        pairs = jnp.where(valid & (targets >= 0), pairs, num_classes**2)
        counts = jnp.bincount(pairs.ravel(), length=num_classes**2 + 1)[:-1]
        return cls(counts.reshape(num_classes, num_classes))

    @classmethod
    def from_masks(
        cls, target: np.ndarray, prediction: np.ndarray, num_classes: int
    ) -> "ConfusionMatrix":
        """Counts of two int masks of equal shape, on the host; unknown targets do not count."""
        pairs = target.astype(np.int64) * num_classes + prediction
        counts = np.bincount(pairs[target >= 0].ravel(), minlength=num_classes**2)
        return cls(counts.reshape(num_classes, num_classes))

    def merge(self, other: "ConfusionMatrix") -> "ConfusionMatrix":
        """The sum of both counts, on the host."""
        return ConfusionMatrix(np.asarray(self.counts, np.int64) + np.asarray(other.counts))

    def compute(self) -> np.ndarray:
        """The counts as an int64 array."""
        return np.asarray(self.counts, np.int64)


def class_iou(counts: np.ndarray, ignored: tuple[int, ...] = ()) -> np.ndarray:
    """Intersection over union of each class, float64 `[num_classes]`.

    Examples whose true class is ignored do not count. The value is in [0, 1]; it is NaN for
    ignored classes and for classes that are neither true nor predicted anywhere.
    """
    counts = _without(counts, ignored)
    intersection = np.diag(counts).astype(np.float64)
    union = counts.sum(0) + counts.sum(1) - intersection
    return _without_ignored(ratio(intersection, union), ignored)


def class_dice(counts: np.ndarray, ignored: tuple[int, ...] = ()) -> np.ndarray:
    """Dice coefficient, or F1, of each class, float64 `[num_classes]`; NaN as in `class_iou`."""
    counts = _without(counts, ignored)
    sizes = counts.sum(0) + counts.sum(1)
    return _without_ignored(ratio(2.0 * np.diag(counts), sizes), ignored)


def class_precision(counts: np.ndarray, ignored: tuple[int, ...] = ()) -> np.ndarray:
    """Share of right pixels among those predicted as each class, float64 `[num_classes]`.

    It is NaN for ignored classes and for classes that are predicted nowhere.
    """
    counts = _without(counts, ignored)
    return _without_ignored(ratio(np.diag(counts), counts.sum(0)), ignored)


def class_recall(counts: np.ndarray, ignored: tuple[int, ...] = ()) -> np.ndarray:
    """Share of each class's pixels that are predicted as it, float64 `[num_classes]`.

    It is NaN for ignored classes and for classes that are true nowhere.
    """
    counts = _without(counts, ignored)
    return _without_ignored(ratio(np.diag(counts), counts.sum(1)), ignored)


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """The quotient of two arrays `[num_classes]`, float64; NaN where the denominator is 0."""
    nothing = np.full(len(denominator), np.nan)
    return np.divide(numerator, denominator, out=nothing, where=denominator > 0)


def mean_over_classes(values: np.ndarray) -> float:
    """The mean of the values `[num_classes]` that are defined; NaN if none is."""
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def mean_iou(counts: np.ndarray, ignored: tuple[int, ...] = ()) -> float:
    """The mean of `class_iou` over the classes that occur; NaN if none occurs.

    A class occurs if it is true or predicted anywhere, as in the macro Jaccard index of
    torchmetrics.
    """
    return mean_over_classes(class_iou(counts, ignored))


def frequency_weighted_iou(counts: np.ndarray, ignored: tuple[int, ...] = ()) -> float:
    """The mean of `class_iou` weighted by the true share of each class; NaN if none occurs."""
    frequency = _without(counts, ignored).sum(axis=1)
    if not frequency.sum():
        return float("nan")
    iou = np.nan_to_num(class_iou(counts, ignored))
    return float(np.sum(frequency * iou) / frequency.sum())


def accuracy(counts: np.ndarray, ignored: tuple[int, ...] = ()) -> float:
    """The share of correct examples (pixels for masks), in [0, 1]; NaN if there are none."""
    counts = _without(counts, ignored)
    return float(np.trace(counts) / counts.sum()) if counts.sum() else float("nan")


def _without_ignored(values: np.ndarray, ignored: tuple[int, ...]) -> np.ndarray:
    values[list(ignored)] = np.nan
    return values


def _without(counts: np.ndarray, ignored: tuple[int, ...]) -> np.ndarray:
    counts = counts.copy()
    counts[list(ignored)] = 0
    return counts
