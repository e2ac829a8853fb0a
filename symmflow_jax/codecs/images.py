"""Images as continuous signals: 8-bit pixels to [-1, 1] and back."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Float32, Key, UInt8

from symmflow_jax.flow.shapes import AnyArray
from symmflow_jax.semantics.planes import HALF_RANGE, uniform_noise


def to_signal(
    images: UInt8[AnyArray, "*shape"] | Float[AnyArray, "*shape"],
) -> Float32[AnyArray, "*shape"]:
    """Float32 in [-1, 1] of uint8 images `[..., height, width, channels]`.

    Float arrays, such as points in the plane, are signals already.
    """
    if jnp.issubdtype(images.dtype, jnp.floating):
        return images.astype(jnp.float32)
    return images.astype(jnp.float32) / HALF_RANGE - 1.0


def dequantize(key: Key[Array, ""], signal: Float[AnyArray, "*shape"]) -> Float[Array, "*shape"]:
    """Adds uniform noise between minus and plus half an 8-bit level."""
    noise = uniform_noise(key, signal.shape, 1.0 / HALF_RANGE)
    return noise + signal


def cut_to_pixels(signal: Float[AnyArray, "*shape"]) -> UInt8[Array, "*shape"]:
    """Pixels, uint8, of a signal in [-1, 1], cut off instead of rounded; see `to_pixels`.

    The published code stores its samples so. On average they are half a level darker.
    """
    share = jnp.clip(0.5 * signal.astype(jnp.float32) + 0.5, 0.0, 1.0)
    return (255.0 * share).astype(jnp.uint8)


def to_pixels(signal: Float[AnyArray, "*shape"]) -> UInt8[Array, "*shape"]:
    """Pixels, uint8, of a signal in [-1, 1]; values outside are clipped."""
    levels = jnp.round((signal.astype(jnp.float32) + 1.0) * HALF_RANGE)
    return jnp.clip(levels, 0.0, 255.0).astype(jnp.uint8)
