"""Images as continuous signals: 8-bit pixels to [-1, 1] and back."""

import jax
import jax.numpy as jnp

from symmflow_jax.semantics.planes import HALF_RANGE, uniform_noise


def to_signal(images: jax.Array) -> jax.Array:
    """Float32 in [-1, 1] of uint8 images `[..., height, width, channels]`.

    Float arrays, such as points in the plane, are signals already.
    """
    if jnp.issubdtype(images.dtype, jnp.floating):
        return images.astype(jnp.float32)
    return images.astype(jnp.float32) / HALF_RANGE - 1.0


def dequantize(key: jax.Array, signal: jax.Array) -> jax.Array:
    """Adds uniform noise of half an 8-bit level to either side."""
    return signal + uniform_noise(key, signal.shape, 1.0 / HALF_RANGE)


def to_pixels(signal: jax.Array) -> jax.Array:
    """uint8 pixels of a signal in [-1, 1]; what lies outside is clipped."""
    levels = jnp.round((signal.astype(jnp.float32) + 1.0) * HALF_RANGE)
    return jnp.clip(levels, 0.0, 255.0).astype(jnp.uint8)
