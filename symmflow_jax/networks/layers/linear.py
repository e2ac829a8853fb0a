"""Convolutions, dense layers and upsampling that the networks share."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from symmflow_jax.networks.layers.initializers import dense_bias, fan_in_uniform


def conv(
    features: int,
    x: jax.Array,
    *,
    name: str,
    size: int = 3,
    stride: int = 1,
    padding: tuple[int, int] | None = None,
    zero: bool = False,
    dtype: jnp.dtype = jnp.float32,
) -> jax.Array:
    """A convolution; padded on both sides by half its size, also where it strides.

    Args:
        features: channels of the result.
        x: `[batch, height, width, channels]`.
        name: of its parameters.
        size: height and width of the kernel.
        stride: pixels between two windows.
        padding: pixels before and behind each side, where they are others.
        zero: whether it starts at zero.
        dtype: computation dtype.
    """
    padding = (size // 2, size // 2) if padding is None else padding
    return nn.Conv(
        features,
        (size, size),
        strides=(stride, stride),
        padding=(padding, padding),
        kernel_init=nn.initializers.zeros if zero else fan_in_uniform,
        bias_init=nn.initializers.zeros if zero else dense_bias(size * size * x.shape[-1]),
        dtype=dtype,
        name=name,
    )(x)


def dense(
    features: int,
    x: jax.Array,
    *,
    name: str,
    zero: bool = False,
    use_bias: bool = True,
    dtype: jnp.dtype = jnp.float32,
) -> jax.Array:
    """A dense layer over the last axis."""
    return nn.Dense(
        features,
        use_bias=use_bias,
        kernel_init=nn.initializers.zeros if zero else fan_in_uniform,
        bias_init=nn.initializers.zeros if zero else dense_bias(x.shape[-1]),
        dtype=dtype,
        name=name,
    )(x)


def double(x: jax.Array) -> jax.Array:
    """Nearest-neighbour upsampling of `[batch, height, width, channels]` by two."""
    repeat = functools.partial(jnp.repeat, repeats=2)
    return repeat(repeat(x, axis=1), axis=2)
