"""Sinusoidal embedding of time."""

import math

import flax.linen as nn
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Float32

from symmflow_jax.flow.shapes import AnyArray
from symmflow_jax.networks.layers.initializers import dense_bias, fan_in_uniform


def sinusoids(
    t: Float[AnyArray, " batch"], num_features: int, max_period: float = 10_000.0
) -> Float32[Array, "batch {num_features}"]:
    """Cosines, then sines, of t at geometrically falling frequencies from 1.

    The form of guided-diffusion (arXiv 2105.05233), applied to t in [0, 1] itself.

    Args:
        t: float array `[batch]`.
        num_features: width; an odd one ends in a zero.
        max_period: the slowest frequency is about `1 / max_period`.

    Returns:
        float32 array `[batch, num_features]`.
    """
    half = num_features // 2
    frequencies = jnp.exp(-math.log(max_period) * jnp.arange(half, dtype=jnp.float32) / half)
    angles = t.astype(jnp.float32)[:, None] * frequencies[None]
    features = jnp.concatenate([jnp.cos(angles), jnp.sin(angles)], axis=-1)
    return jnp.pad(features, ((0, 0), (0, num_features % 2)))


class TimeEmbedding(nn.Module):
    """Sinusoids through two dense layers with a SiLU between them.

    Attributes:
        num_sinusoids: width of the sinusoidal features.
        features: width of the embedding.
        zero: whether the embedding starts at zero.
        dtype: computation dtype.
    """

    num_sinusoids: int
    features: int
    zero: bool = False
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(self, t: Float[AnyArray, " batch"]) -> Float[Array, "batch {self.features}"]:
        """The embedding `[batch, features]` of t `[batch]`."""
        h = sinusoids(t, self.num_sinusoids)
        h = self._dense("in_dense", self.num_sinusoids)(h)
        return self._dense("out_dense", self.features, self.zero)(nn.silu(h))

    def _dense(self, name: str, fan_in: int, zero: bool = False) -> nn.Dense:
        zeros = nn.initializers.zeros
        return nn.Dense(
            self.features,
            kernel_init=zeros if zero else fan_in_uniform,
            bias_init=zeros if zero else dense_bias(fan_in),
            dtype=self.dtype,
            name=name,
        )
