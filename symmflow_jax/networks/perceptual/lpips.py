"""The network of LPIPS (Zhang et al., arXiv 1801.03924), version 0.1: AlexNet's convolutions."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Float32

from symmflow_jax.flow.shapes import AnyArray

_LEVELS = (
    # Width, kernel, stride, padding.
    (64, 11, 4, 2),
    (192, 5, 1, 2),
    (384, 3, 1, 1),
    (256, 3, 1, 1),
    (256, 3, 1, 1),
)
_POOLED_BEFORE = (1, 2)
# Mean and deviation of colours, as the published weights take signals in [-1, 1].
_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
SMALLEST = 31
"""The smallest height and width with a pixel in the last level."""


class PerceptualDistance(nn.Module):
    """Distances of pairs of images: squared differences of normalised activations, weighted."""

    @nn.compact
    def __call__(
        self,
        first: Float[AnyArray, "batch height width 3"],
        second: Float[AnyArray, "batch height width 3"],
    ) -> Float32[Array, " batch"]:
        """Distances, float32 `[batch]`, of signals `[batch, height, width, 3]` in [-1, 1]."""
        x = jnp.concatenate([first, second])
        x = (x - _row(_SHIFT)) / _row(_SCALE)
        total = jnp.zeros(len(first))
        for level, (width, kernel, stride, padding) in enumerate(_LEVELS):
            if level in _POOLED_BEFORE:
                x = nn.max_pool(x, (3, 3), (2, 2), "VALID")
            x = nn.Conv(
                width,
                (kernel, kernel),
                stride,
                padding,
                precision=jax.lax.Precision.HIGHEST,
                name=f"conv_{level}",
            )(x)
            x = nn.relu(x)
            ours, theirs = jnp.split(_normalize(x), 2)
            weights = self.param(f"head_{level}", nn.initializers.ones, (width,))
            weighted = jnp.sum((ours - theirs) ** 2 * weights[None, None, None], axis=-1)
            total += jnp.mean(weighted, axis=(1, 2))
        return total


def _normalize(x: Float[Array, "*places channels"]) -> Float[Array, "*places channels"]:
    """Activations of length 1 at every place, or 0 if all are zero."""
    return x / (jnp.sqrt(jnp.sum(x**2, axis=-1, keepdims=True)) + 1e-10)


def _row(values: tuple[float, ...]) -> Float32[Array, "1 1 1 3"]:
    return jnp.asarray(values, jnp.float32)[None, None, None]
