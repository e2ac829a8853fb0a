"""Convolutions, dense layers and upsampling that the networks share."""

import functools

import flax.linen as nn
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from symmflow_jax.flow.shapes import Grid
from symmflow_jax.networks.layers.initializers import dense_bias, fan_in_uniform


def conv(
    features: int,
    x: Grid,
    *,
    name: str,
    size: int = 3,
    stride: int = 1,
    padding: tuple[int, int] | None = None,
    zero: bool = False,
    dtype: DTypeLike = jnp.float32,
) -> Float[Array, "batch new_height new_width {features}"]:
    """A convolution, padded on both sides by half its size, also if it strides.

    Args:
        features: channels of the result.
        x: `[batch, height, width, channels]`.
        name: name of the parameters.
        size: height and width of the kernel.
        stride: pixels between two windows.
        padding: pixels before and behind each side, if they differ from half the size.
        zero: whether the weights start at zero.
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
    x: Float[Array, "*leading in_features"],
    *,
    name: str,
    zero: bool = False,
    use_bias: bool = True,
    dtype: DTypeLike = jnp.float32,
) -> Float[Array, "*leading {features}"]:
    """A dense layer over the last axis."""
    return nn.Dense(
        features,
        use_bias=use_bias,
        kernel_init=nn.initializers.zeros if zero else fan_in_uniform,
        bias_init=nn.initializers.zeros if zero else dense_bias(x.shape[-1]),
        dtype=dtype,
        name=name,
    )(x)


def double(x: Grid) -> Float[Array, "batch 2*height 2*width channels"]:
    """Nearest-neighbour upsampling of `[batch, height, width, channels]` by two."""
    repeat = functools.partial(jnp.repeat, repeats=2)
    return repeat(repeat(x, axis=1), axis=2)
