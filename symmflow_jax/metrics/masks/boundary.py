"""The boundaries of classes in masks, for the boundary IoU (Cheng et al. 2021, arXiv 2103.16562).

The boundary of a class has those of its pixels that lie within a distance of a pixel of another
class, or of the border of the image: the pixels that an erosion by that many steps of a 3x3 square
takes away, on an image with a border of zeros, as the authors compute it.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
import scipy.ndimage

DILATION_RATIO = 0.02
"""The distance as a share of the image's diagonal, as the authors recommend."""

_OUTSIDE = -2
"""What lies beyond the border of an image: no class, and not `NO_CLASS` either."""


def boundary_distance(height: int, width: int) -> int:
    """The distance in pixels for an image of a height and width, at least 1."""
    return max(1, round(DILATION_RATIO * math.hypot(height, width)))


def on_boundary(masks: jax.Array) -> jax.Array:
    """Whether pixels lie on the boundary of their class, bool `[batch, height, width]`.

    Args:
        masks: int `[batch, height, width]`, classes or negative numbers other than -2.
    """
    distance = boundary_distance(*masks.shape[1:])
    # A class fills a square if the largest and the smallest number in it are the pixel's own.
    largest, smallest = masks, masks
    for axis in (1, 2):
        padding = [(distance, distance) if i == axis else (0, 0) for i in range(3)]
        window = tuple(2 * distance + 1 if i == axis else 1 for i in range(3))
        ones = (1, 1, 1)
        low, high = np.iinfo(masks.dtype).min, np.iinfo(masks.dtype).max
        largest = jax.lax.reduce_window(
            _padded(largest, padding), low, jax.lax.max, window, ones, "VALID"
        )
        smallest = jax.lax.reduce_window(
            _padded(smallest, padding), high, jax.lax.min, window, ones, "VALID"
        )
    return (largest != masks) | (smallest != masks)


def _padded(masks: jax.Array, padding: list[tuple[int, int]]) -> jax.Array:
    return jnp.pad(masks, padding, constant_values=_OUTSIDE)


def on_boundary_on_host(mask: np.ndarray) -> np.ndarray:
    """The same of one mask, int `[height, width]`, without a compilation for each size."""
    size = 2 * boundary_distance(*mask.shape) + 1
    largest = scipy.ndimage.maximum_filter(mask, size, mode="constant", cval=_OUTSIDE)
    smallest = scipy.ndimage.minimum_filter(mask, size, mode="constant", cval=_OUTSIDE)
    return (largest != mask) | (smallest != mask)
