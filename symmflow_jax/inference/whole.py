"""Masks of images of any size: each is resized to the model's size, and its mask back."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import jax
import numpy as np
from PIL.Image import Resampling

from symmflow_jax.data.transforms import resize_image, resize_mask
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference import batched
from symmflow_jax.methods.symmflow import SymmFlow, Weights


class MaskReading(NamedTuple):
    """The mask of an image in the image's own size.

    Attributes:
        labels: int32 `[height, width]`.
        confidence: float32 `[height, width]`, in [0, 1].
        entropy: float32 `[height, width]`, in nats.
        probabilities: float32 `[height, width, classes]`; None if they were not asked for.
    """

    labels: np.ndarray
    confidence: np.ndarray
    entropy: np.ndarray
    probabilities: np.ndarray | None


def read_masks(
    method: SymmFlow,
    weights: Weights,
    images: Iterable[np.ndarray],
    key: jax.Array,
    solve: Solve,
    ensemble_size: int,
    *,
    resampling: Resampling,
    with_probabilities: bool,
    batch_size: int,
) -> Iterator[MaskReading]:
    """Reads the masks of images; arguments as in `batched.predict_each`, besides these.

    Args:
        method, weights, key, solve, ensemble_size, batch_size: as there.
        images: uint8 `[height, width, channels]` of any sizes.
        resampling: filter that resizes images.
        with_probabilities: whether to give probabilities too.
    """
    height, width, channels = method.codec.image_shape
    sizes: list[tuple[int, int]] = []

    def resized() -> Iterator[np.ndarray]:
        for image in images:
            sizes.append(image.shape[:2])
            yield resize_image(image, (height, width), channels, resampling)

    results = batched.predict_each(
        method, weights, resized(), key, solve, ensemble_size, batch_size
    )
    for result in results:
        size = sizes.pop(0)
        nearest = resize_mask(np.arange(height * width).reshape(height, width), size)
        yield MaskReading(
            result.labels.ravel()[nearest],
            result.confidence.ravel()[nearest],
            result.entropy.ravel()[nearest],
            result.probabilities.reshape(height * width, -1)[nearest]
            if with_probabilities
            else None,
        )
