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
        group_size = channels // self.num_groups
        repeat = functools.partial(jnp.repeat, repeats=group_size, axis=-1)
        # Differences from the first pixel: the square of a mean far above the deviations would
        # lose the digits of the variance. The result does not depend on that pixel.
        origin = jnp.reshape(x[:, 0, 0].astype(jnp.float32), (-1, self.num_groups, group_size))
        origin = jax.lax.stop_gradient(repeat(jnp.mean(origin, axis=-1)))
        x = x.astype(jnp.float32) - origin[:, None, None]
        moments = jnp.stack([jnp.mean(x, (1, 2)), jnp.mean(jnp.square(x), (1, 2))])
        grouped = jnp.reshape(moments, (2, -1, self.num_groups, group_size))
        mean, mean_square = jnp.mean(grouped, axis=-1)
        variance = jnp.maximum(mean_square - jnp.square(mean), 0.0)
        factor = repeat(jax.lax.rsqrt(variance + self.epsilon)) * scale[None]
        shift = bias[None] - repeat(mean) * factor
        return (x * factor[:, None, None] + shift[:, None, None]).astype(self.dtype)


def layer_norm(x: Float[Array, "*shape"], *, name: str) -> Float[Array, "*shape"]:
    """Layer normalisation with PyTorch's epsilon, float32 inside and as x outside."""
    norm = nn.LayerNorm(epsilon=1e-5, dtype=jnp.float32, name=name)
    return norm(x.astype(jnp.float32)).astype(x.dtype)


def norm_silu(x: Grid, num_groups: int, dtype: DTypeLike, name: str, epsilon: float = 1e-5) -> Grid:
    """Group normalisation, then SiLU."""
    return nn.silu(GroupNorm(num_groups, epsilon, dtype, name=name)(x))
