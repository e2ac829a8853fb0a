"""Layers that the convolutional networks share."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp

from symmflow_jax.networks.initializers import dense_bias, fan_in_uniform


class GroupNorm(nn.Module):
    """Group normalisation with statistics in float32, whatever the dtype around it.

    The sums are taken per channel and joined per group afterwards, and what is left of the
    normalisation is a factor and a shift for each channel: the input is read twice in its own
    dtype, and never reshaped into groups, which would lay it out anew on a TPU.

    Attributes:
        num_groups: groups; they divide the channels.
        epsilon: added to the variance.
        dtype: dtype of the result.
    """

    num_groups: int
    epsilon: float
    dtype: jnp.dtype

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """The normalised `[batch, height, width, channels]`."""
        batch, _, _, channels = x.shape
        scale = self.param("scale", nn.initializers.ones, (channels,))
        bias = self.param("bias", nn.initializers.zeros, (channels,))
        x = x.astype(jnp.float32)
        moments = jnp.stack([jnp.mean(x, (1, 2)), jnp.mean(jnp.square(x), (1, 2))])
        grouped = jnp.reshape(moments, (2, batch, self.num_groups, channels // self.num_groups))
        mean, mean_square = jnp.mean(grouped, axis=-1)
        variance = jnp.maximum(mean_square - jnp.square(mean), 0.0)
        repeat = functools.partial(jnp.repeat, repeats=channels // self.num_groups, axis=-1)
        factor = repeat(jax.lax.rsqrt(variance + self.epsilon)) * scale[None]
        shift = bias[None] - repeat(mean) * factor
        return (x * factor[:, None, None] + shift[:, None, None]).astype(self.dtype)


def layer_norm(x: jax.Array, *, name: str) -> jax.Array:
    """Layer normalisation with PyTorch's epsilon, float32 inside and as x outside."""
    norm = nn.LayerNorm(epsilon=1e-5, dtype=jnp.float32, name=name)
    return norm(x.astype(jnp.float32)).astype(x.dtype)


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


def norm_silu(
    x: jax.Array, num_groups: int, dtype: jnp.dtype, name: str, epsilon: float = 1e-5
) -> jax.Array:
    """Group normalisation, then SiLU."""
    return nn.silu(GroupNorm(num_groups, epsilon, dtype, name=name)(x))


def double(x: jax.Array) -> jax.Array:
    """Nearest-neighbour upsampling of `[batch, height, width, channels]` by two."""
    repeat = functools.partial(jnp.repeat, repeats=2)
    return repeat(repeat(x, axis=1), axis=2)
