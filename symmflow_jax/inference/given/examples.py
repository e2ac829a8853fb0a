"""What a classifier reads: images of any size in that of the model, or points."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from symmflow_jax.data.photos.reader import PhotoReader
from symmflow_jax.data.pipeline import Preparation
from symmflow_jax.inference.given.arrays import checked_images
from symmflow_jax.inference.given.images import Given, given_images


def given_points(points: Any, image_shape: tuple[int, ...]) -> tuple[Given, Iterator[np.ndarray]]:
    """What was given, and the points.

    Args:
        points: float `[n]` or `[batch, n]`.
        image_shape: `(n,)`.

    Raises:
        ValueError: if they have another shape.
    """
    points = np.asarray(points)
    is_one = points.ndim == 1
    checked = checked_images(points[None] if is_one else points, image_shape).values
    return Given(list(checked), is_one), iter(checked)


def fitted_images(
    images: Any, channels: int, photos: PhotoReader, preparation: Preparation
) -> tuple[Given, Iterator[np.ndarray]]:
    """What was given, and the images in the model's size, which are read as they are needed.

    Args:
        images, channels, photos: as in `given_images`.
        preparation: the preparation of the model's examples.

    Raises:
        DataError, ValueError: as `given_images`.
    """
    given = given_images(images, channels, photos)
    return given, (preparation.fitted(item.pixels()) for item in given.items)
