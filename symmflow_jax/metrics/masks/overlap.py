"""Overlap of masks beyond the pixels of all images together: boundaries, and image by image."""

import functools

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from clu import metrics

from symmflow_jax.metrics import confusion
from symmflow_jax.metrics.masks.boundary import on_boundary, on_boundary_on_host

_NO_CLASS = -1


@flax.struct.dataclass
class MaskOverlap(metrics.Metric):
    """Counts of boundary pixels by class, and sums of the scores of single images.

    Pixels whose true class is ignored or unknown belong to no class in either mask. So both masks
    have a boundary along them.

    Attributes:
        boundary: `[3, classes]`: boundary pixels of each class in both masks, in the true masks and
            in the predicted ones.
        by_image: `[3]`: sum of the mean IoU of each image over the classes that are true or
            predicted in it, sum of the mean Dice, and the number of images in which any pixel
            counts.
    """

    boundary: jax.Array | np.ndarray
    by_image: jax.Array | np.ndarray

    @classmethod
    def empty(cls, num_classes: int) -> "MaskOverlap":
        """Counts of zero."""
        return cls(np.zeros((3, num_classes), np.int64), np.zeros(3))

    @classmethod
    def from_labels(
        cls,
        targets: jax.Array,
        predictions: jax.Array,
        valid: jax.Array,
        num_classes: int,
        ignored: tuple[int, ...] = (),
    ) -> "MaskOverlap":
        """The counts of a batch, on the device.

        Args:
            targets: int `[batch, height, width]`; negative numbers are unknown.
            predictions: int array of the same shape.
            valid: bool `[batch]`; padding does not count.
            num_classes: number of classes.
            ignored: classes that do not count.
        """
        counts = valid[:, None, None] & _counted(targets, ignored)
        true = jnp.where(counts, targets, _NO_CLASS)
        predicted = jnp.where(counts, predictions, _NO_CLASS)
        edge = jnp.where(on_boundary(true), true, _NO_CLASS)
        predicted_edge = jnp.where(on_boundary(predicted), predicted, _NO_CLASS)
        boundary = _pixels(edge, predicted_edge, num_classes).sum(axis=1)
        return cls(boundary, _scores_of_images(_pixels(true, predicted, num_classes), ignored))

    @classmethod
    def from_masks(
        cls,
        target: np.ndarray,
        prediction: np.ndarray,
        num_classes: int,
        ignored: tuple[int, ...] = (),
    ) -> "MaskOverlap":
        """The counts of one pair of int masks of equal shape, on the host."""
        # Bytes cannot hold the negative numbers of what has no class.
        target, prediction = target.astype(np.int32), prediction.astype(np.int32)
        counts = _counted(target, ignored)
        true, predicted = (np.where(counts, m, _NO_CLASS) for m in (target, prediction))
        edge = np.where(on_boundary_on_host(true), true, _NO_CLASS)
        predicted_edge = np.where(on_boundary_on_host(predicted), predicted, _NO_CLASS)
        boundary = _pixels_on_host(edge, predicted_edge, num_classes)[:, 0]
        pixels = _pixels_on_host(true, predicted, num_classes)
        return cls(boundary, _scores_of_images(pixels, ignored))

    def merge(self, other: "MaskOverlap") -> "MaskOverlap":
        """The sum of both counts, on the host."""
        return MaskOverlap(
            np.asarray(self.boundary, np.int64) + np.asarray(other.boundary),
            np.asarray(self.by_image, np.float64) + np.asarray(other.by_image),
        )

    def compute(self) -> "MaskOverlap":
        """The same counts on the host."""
        return self.merge(MaskOverlap.empty(np.shape(self.boundary)[1]))

    def class_boundary_iou(self, ignored: tuple[int, ...] = ()) -> np.ndarray:
        """Boundary IoU of each class, float64 `[classes]`, over the pixels of all images.

        It is NaN for ignored classes, and for classes that are neither true nor predicted.
        """
        both, true, predicted = np.asarray(self.boundary, np.float64)
        iou = confusion.ratio(both, true + predicted - both)
        iou[list(ignored)] = np.nan
        return iou

    def mean_by_image(self) -> dict[str, float]:
        """Means over the images of their mean IoU and mean Dice; NaN without images."""
        miou, dice, number = np.asarray(self.by_image, np.float64).tolist()
        return {
            "miou_by_image": miou / number if number else float("nan"),
            "dice_by_image": dice / number if number else float("nan"),
        }


def _counted(targets, ignored: tuple[int, ...]):
    """Whether the true class of each pixel counts."""
    counts = targets >= 0
    for label in ignored:
        counts = counts & (targets != label)
    return counts


def _pixels(true: jax.Array, predicted: jax.Array, num_classes: int) -> jax.Array:
    """Pixels of each class in both masks, the true and the predicted, `[3, batch, classes]`."""

    def count(masks: jax.Array) -> jax.Array:
        # One additional bin for each image takes the pixels without a class.
        bins = jnp.where(masks >= 0, masks, num_classes)
        first = (num_classes + 1) * jnp.arange(len(masks))[:, None, None]
        found = jnp.bincount((first + bins).ravel(), length=len(masks) * (num_classes + 1))
        return found.reshape(len(masks), num_classes + 1)[:, :-1]

    both = jnp.where(true == predicted, true, _NO_CLASS)
    return jnp.stack([count(both), count(true), count(predicted)])


def _pixels_on_host(true: np.ndarray, predicted: np.ndarray, num_classes: int) -> np.ndarray:
    """The same of one pair of masks, int64 `[3, 1, classes]`."""
    both = np.where(true == predicted, true, _NO_CLASS)
    counts = [np.bincount(m[m >= 0], minlength=num_classes) for m in (both, true, predicted)]
    return np.stack(counts)[:, None]


@functools.partial(jax.jit, static_argnums=1)
def _scores_of_images(pixels, ignored: tuple[int, ...]) -> jax.Array:
    """Sums over images of mean IoU and mean Dice, and the number of images, float32 `[3]`.

    Args:
        pixels: int `[3, batch, classes]`: of both masks, the true and the predicted.
        ignored: classes that do not count.
    """
    both, true, predicted = jnp.asarray(pixels).astype(jnp.float32)
    occurs = true + predicted > 0
    occurs = occurs.at[:, jnp.asarray(ignored, int)].set(False) if ignored else occurs
    number = jnp.sum(occurs, axis=1).astype(jnp.float32)

    def mean(numerator: jax.Array, denominator: jax.Array) -> jax.Array:
        values = jnp.where(occurs, numerator / jnp.where(occurs, denominator, 1.0), 0.0)
        return jnp.sum(values, axis=1) / jnp.maximum(number, 1.0)

    miou, dice = mean(both, true + predicted - both), mean(2.0 * both, true + predicted)
    return jnp.stack([jnp.sum(miou), jnp.sum(dice), jnp.sum(number > 0.0).astype(jnp.float32)])
