"""Signals that repeat one code over the grid of an image, and the noise that dequantises them."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

HALF_RANGE = 127.5
"""Half of the 8-bit range: maps 0..255 onto [-1, 1]."""


def uniform_noise(
    key: Key[Array, ""], shape: tuple[int, ...], width: float
) -> Float[Array, "*shape"]:
    """Float32 noise, uniform over an interval of `width` around zero."""
    return width * (jax.random.uniform(key, shape) - 0.5)


def broadcast_over_plane(
    codes: Float[Array, "... channels"], spatial_shape: tuple[int, ...]
) -> Float[Array, "... channels"]:
    """Codes `[..., channels]` repeated to `[..., *spatial_shape, channels]`."""
    leading, channels = codes.shape[:-1], codes.shape[-1]
    codes = jnp.reshape(codes, (*leading, *(1 for _ in spatial_shape), channels))
    return jnp.broadcast_to(codes, (*leading, *spatial_shape, channels))


def mean_over_plane(
    signal: Float[Array, "... channels"], spatial_shape: tuple[int, ...]
) -> Float[Array, "... channels"]:
    """The mean of a signal `[..., *spatial_shape, channels]` over the grid."""
    axes = tuple(range(signal.ndim - 1 - len(spatial_shape), signal.ndim - 1))
    return jnp.mean(signal, axis=axes)


def with_ndim(codes: Float[Array, "*shape"], ndim: int) -> Float[Array, "..."]:
    """Codes with leading axes of 1 up to `ndim` axes, since silent broadcasting is an error."""
    return jnp.reshape(codes, (1,) * (ndim - codes.ndim) + codes.shape)
