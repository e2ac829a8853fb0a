"""Normalisations that the convolutional networks share."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from symmflow_jax.flow.shapes import Grid


class GroupNorm(nn.Module):
    """Group normalisation with float32 statistics for every input dtype.

    Moments are computed per channel and then averaged per group. The normalisation is then a
    difference, a factor and a shift for each channel. So the input is read twice in its own dtype
    and never reshaped into groups, which would change its layout on a TPU.

    Attributes:
        num_groups: groups; they divide the channels.
        epsilon: added to the variance.
        dtype: dtype of the result.
    """

    num_groups: int
    epsilon: float
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Grid) -> Grid:
        """The normalised `[batch, height, width, channels]`."""
        channels = x.shape[-1]
        scale = self.param("scale", nn.initializers.ones, (channels,))
        bias = self.param("bias", nn.initializers.zeros, (channels,))
        x = x.astype(jnp.float32)
        mean, variance = _group_moments(x, self.num_groups)
        repeat = functools.partial(jnp.repeat, repeats=channels // self.num_groups, axis=-1)
        factor = repeat(jax.lax.rsqrt(variance + self.epsilon)) * scale[None]
        # Centred first: a mean far above the deviations would cancel digits in a sum.
        centred = x - repeat(mean)[:, None, None]
        return (centred * factor[:, None, None] + bias[None, None, None]).astype(self.dtype)


def _group_moments(
    x: Float[Array, "batch height width channels"], num_groups: int
) -> tuple[Float[Array, "batch groups"], Float[Array, "batch groups"]]:
    """Mean and variance of each group of channels, in one pass over the input.

    The moments are those of differences from the first pixel. A square of the values themselves
    would lose the digits of a variance that is far below the square of the mean.
    """
    batch, *_, channels = x.shape
    origin = jax.lax.stop_gradient(x[:, :1, :1])  # The result does not depend on it.
    differences = x - origin
    first = jnp.mean(differences, (1, 2))
    within = jnp.maximum(jnp.mean(jnp.square(differences), (1, 2)) - jnp.square(first), 0.0)
    grouped = (batch, num_groups, channels // num_groups)
    means = jnp.reshape(origin[:, 0, 0] + first, grouped)
    mean = jnp.mean(means, axis=-1)
    between = jnp.mean(jnp.square(means - mean[..., None]), axis=-1)
    return mean, jnp.mean(jnp.reshape(within, grouped), axis=-1) + between


def layer_norm(x: Float[Array, "*shape"], *, name: str) -> Float[Array, "*shape"]:
    """Layer normalisation with PyTorch's epsilon, float32 inside and as x outside."""
    norm = nn.LayerNorm(epsilon=1e-5, dtype=jnp.float32, name=name)
    return norm(x.astype(jnp.float32)).astype(x.dtype)


def norm_silu(x: Grid, num_groups: int, dtype: DTypeLike, name: str, epsilon: float = 1e-5) -> Grid:
    """Group normalisation, then SiLU."""
    return nn.silu(GroupNorm(num_groups, epsilon, dtype, name=name)(x))
