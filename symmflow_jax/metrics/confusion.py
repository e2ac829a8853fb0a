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
    iou = np.divide(intersection, union, out=np.full(len(counts), np.nan), where=union > 0)
    iou[list(ignored)] = np.nan
    return iou


def mean_iou(counts: np.ndarray, ignored: tuple[int, ...] = ()) -> float:
    """The mean of `class_iou` over the classes that occur; NaN if none occurs.

    A class occurs if it is true or predicted anywhere, as in the macro Jaccard index of
    torchmetrics.
    """
    iou = class_iou(counts, ignored)
    return float(np.nanmean(iou)) if np.isfinite(iou).any() else float("nan")


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


def _without(counts: np.ndarray, ignored: tuple[int, ...]) -> np.ndarray:
    counts = counts.copy()
    counts[list(ignored)] = 0
    return counts
