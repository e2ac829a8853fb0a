"""Rotation of an image together with its mask, without corners to fill."""

import math

import numpy as np
from PIL import Image
from PIL.Image import Resampling, Transform

from symmflow_jax.data.transforms import Example, image_size

_SLACK = 1e-6
"""Pixels by which a length may miss a whole number by rounding."""

_Affine = tuple[float, float, float, float, float, float]


def rotate(
    example: Example, degrees: float, resampling: Resampling = Resampling.BICUBIC
) -> Example:
    """Turns image and mask about their centre, and keeps what has no empty corners.

    The result is the largest window of the picture's own aspect ratio that lies inside the turned
    picture, at the same scale. So no pixel is made up, and nobody learns black corners.

    Args:
        example: "image", `[h, w, c]` of integers, float `[h, w, c]` in [-1, 1] or a Pillow image,
            and "labels", int `[h, w]` or a scalar.
        degrees: the angle, counter-clockwise; between -90 and 90.
        resampling: filter of the image. Masks take the nearest pixel.
    """
    image, labels = example["image"], example["labels"]
    height, width = image_size(image)
    size, affine = _window(height, width, math.radians(degrees))
    if np.ndim(labels) == 2:
        turned = _turned(np.asarray(labels, np.int32), size, affine, Resampling.NEAREST)
        labels = turned.astype(np.asarray(labels).dtype)
    return example | {"image": _turned_image(image, size, affine, resampling), "labels": labels}


def _window(height: int, width: int, angle: float) -> tuple[tuple[int, int], _Affine]:
    """Width and height of the window, and the map from its points to those of the picture."""
    cosine, sine = math.cos(angle), math.sin(angle)
    across = width * cosine + height * abs(sine)
    down = width * abs(sine) + height * cosine
    share = min(width / across, height / down)
    size = (
        max(1, math.floor(share * width + _SLACK)),
        max(1, math.floor(share * height + _SLACK)),
    )
    left = width / 2 - (cosine * size[0] - sine * size[1]) / 2
    top = height / 2 - (sine * size[0] + cosine * size[1]) / 2
    return size, (cosine, -sine, left, sine, cosine, top)


def _turned_image(
    image: Image.Image | np.ndarray,
    size: tuple[int, int],
    affine: _Affine,
    resampling: Resampling,
) -> Image.Image | np.ndarray:
    if isinstance(image, Image.Image):
        return image.transform(size, Transform.AFFINE, affine, resampling)
    # Planes of floats hold integers of up to 24 bits.
    planes = [
        _turned(plane.astype(np.float32), size, affine, resampling)
        for plane in np.moveaxis(image, -1, 0)
    ]
    turned = np.stack(planes, axis=-1)  # A cubic filter overshoots.
    if np.issubdtype(image.dtype, np.floating):
        return np.clip(turned, -1.0, 1.0).astype(image.dtype)
    limits = np.iinfo(image.dtype)
    return np.clip(np.round(turned), limits.min, limits.max).astype(image.dtype)


def _turned(
    plane: np.ndarray, size: tuple[int, int], affine: _Affine, resampling: Resampling
) -> np.ndarray:
    """A plane of int32 or float32 `[h, w]`, turned."""
    picture = Image.fromarray(np.ascontiguousarray(plane))
    return np.asarray(picture.transform(size, Transform.AFFINE, affine, resampling))
