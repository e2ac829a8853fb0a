"""Arrays of exactly the model's size, as programs give them: images, regions, masks and labels."""

from typing import Any

import numpy as np

from symmflow_jax.data.batch import Images, Pixels, Points, Signals
from symmflow_jax.inference.given.conditions import check_classes
from symmflow_jax.semantics.labels import LabelSchema


def checked_images(images: Any, image_shape: tuple[int, ...]) -> Images:
    """The images or points of an array.

    Args:
        images: uint8 or float in [-1, 1], `[batch, *image_shape]`; points are unbounded.
        image_shape: `(height, width, channels)`, or `(n,)` for points.

    Raises:
        ValueError: if there is none, or they have another shape, dtype or range.
    """
    images = np.asarray(images)
    if images.shape[1:] != image_shape or not len(images):
        raise ValueError(
            f"Images have shape {images.shape}; this model takes "
            f"{('batch', *image_shape)}. Resize them, or convert their channels, first."
        )
    if images.ndim == 2:
        return Points(images)
    if images.dtype == np.uint8:
        return Pixels(images)
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(f"Images are {images.dtype}; give uint8, or float in [-1, 1].")
    low, high = float(images.min()), float(images.max())
    if not (low >= -1.0 and high <= 1.0):
        raise ValueError(
            f"Float images range from {low:g} to {high:g}; they must lie in [-1, 1]. "
            "8-bit values become that by x / 127.5 - 1, or give them as uint8."
        )
    return Signals(images.astype(np.float32))


def checked_region(keep: Any, image_shape: tuple[int, ...]) -> np.ndarray:
    """What an edit keeps: bool `[batch, height, width]`, or `[batch, n]` of points.

    Args:
        keep: an array of this shape and dtype.
        image_shape: `(height, width, channels)`, or `(n,)` for points.

    Raises:
        ValueError: if it has another shape or dtype.
    """
    keep = np.asarray(keep)
    shape = image_shape[:-1] if len(image_shape) == 3 else image_shape
    if keep.dtype != bool or keep.shape[1:] != shape or not len(keep):
        raise ValueError(
            f"What to keep is {keep.dtype} of shape {keep.shape}; give bool "
            f"{('batch', *shape)}, or one of Keep."
        )
    return keep


def checked_conditions(
    conditions: Any, image_shape: tuple[int, ...], schema: LabelSchema, *, are_masks: bool
) -> np.ndarray:
    """The masks of an array, int32 `[batch, height, width]`, or its labels, int32 `[batch]`.

    Args:
        conditions: integers of this shape.
        image_shape: `(height, width, channels)`, or `(n,)` for points.
        schema: the classes.
        are_masks: True for masks.

    Raises:
        ValueError: if there is none, they have another shape or dtype, or are no classes.
    """
    conditions = np.asarray(conditions)
    shape = image_shape[:-1] if are_masks else ()
    if conditions.shape[1:] != shape or conditions.ndim == 0 or not len(conditions):
        raise ValueError(
            f"Conditions have shape {conditions.shape}; this model takes {('batch', *shape)}."
        )
    check_classes(conditions, schema, are_masks=are_masks)
    return conditions.astype(np.int32)
