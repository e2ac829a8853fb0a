"""Gaussian blur of images by a radius that is known only on the device."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from symmflow_jax.flow.shapes import AnyArray, Scalar

_REACH = 3.0
"""Standard deviations beyond which the kernel is cut off."""

_SHARP = 1e-2
"""Standard deviations below which the kernel is a single pixel, in pixels."""


def blurred(
    image: Float[AnyArray, "height width channels"], deviation: Scalar, largest: float
) -> Float[Array, "height width channels"]:
    """An image under a Gaussian kernel; the borders are mirrored, without their outermost pixels.

    Args:
        image: float `[height, width, channels]`.
        deviation: standard deviation of the kernel in pixels, in [0, `largest`]; 0 changes
            nothing.
        largest: bound of `deviation`, which gives the size of the kernel.
    """
    reach = math.ceil(_REACH * largest)
    distances = jnp.arange(-reach, reach + 1, dtype=jnp.float32)
    kernel = jnp.exp(-0.5 * jnp.square(distances / jnp.maximum(deviation, _SHARP)))
    kernel = kernel / jnp.sum(kernel)
    return _along(_along(jnp.asarray(image), kernel, 0), kernel, 1)


def _along(image: jax.Array, kernel: jax.Array, axis: int) -> jax.Array:
    """The convolution of an image with a kernel along one axis."""
    reach, length = len(kernel) // 2, image.shape[axis]
    padding = [(0, 0)] * image.ndim
    padding[axis] = (reach, reach)
    padded = jnp.pad(image, padding, mode="reflect")
    # A sum of shifted images is exact for a kernel of a single pixel.
    total = jnp.zeros_like(image)
    for start in range(len(kernel)):
        part = jax.lax.slice_in_dim(padded, start, start + length, axis=axis)
        total = total + kernel[start] * part
    return total
