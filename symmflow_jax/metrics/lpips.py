"""LPIPS, the learned perceptual distance of two images (Zhang et al., arXiv 1801.03924).

Version 0.1 with the convolutions of AlexNet.
"""

import dataclasses
import pathlib
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax import images as images_lib
from symmflow_jax.interop.weights_hash import hash_of

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
"""The least height and width that leaves the last level a pixel."""


class PerceptualDistance(nn.Module):
    """Distances of pairs of images: squared differences of normalised activations, weighted."""

    @nn.compact
    def __call__(self, first: jax.Array, second: jax.Array) -> jax.Array:
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


@dataclasses.dataclass(frozen=True, eq=False)
class Lpips:
    """LPIPS with weights of known origin.

    Attributes:
        weights_hash: start of the SHA-256 of the weights, hexadecimal.
        params: parameters of `PerceptualDistance`, on the device.
    """

    weights_hash: str
    params: Any = dataclasses.field(repr=False)

    def __call__(self, first: jax.Array | np.ndarray, second: jax.Array | np.ndarray) -> jax.Array:
        """The distance of each pair, float32 `[batch]`; 0 for equal images.

        Args:
            first: `[batch, height, width, 1 or 3]`, uint8, or float signals in [-1, 1].
            second: images of the same shape.

        Raises:
            ValueError: if the shapes differ or the images are too small for the network.
        """
        if first.shape != second.shape or first.ndim != 4 or first.shape[-1] not in (1, 3):
            raise ValueError(
                "LPIPS compares images of one shape [batch, height, width, 1 or 3], not "
                f"{list(first.shape)} with {list(second.shape)}."
            )
        if min(first.shape[1:3]) < SMALLEST:
            raise ValueError(
                f"LPIPS needs images of {SMALLEST} pixels or more either way, not "
                f"{first.shape[1]}x{first.shape[2]}; leave it out for these."
            )
        return _distances(self.params, first, second)


def lpips(path: str | pathlib.Path) -> Lpips:
    """LPIPS with the weights of a file.

    Args:
        path: what `python -m symmflow_jax.interop.convert_metric_weights --network=lpips` wrote.

    Raises:
        ValueError: if the file is missing or not of this network.
    """
    # Imported late: the conversion itself imports the network from here.
    from symmflow_jax.interop.lpips import params_from_state_dict
    from symmflow_jax.interop.torch_files import read_tensors

    params = params_from_state_dict(read_tensors(path))
    return Lpips(hash_of(params), jax.tree.map(jnp.asarray, params))


def _normalize(x: jax.Array) -> jax.Array:
    """Activations of length 1 at every place; where there are none, 0."""
    return x / (jnp.sqrt(jnp.sum(x**2, axis=-1, keepdims=True)) + 1e-10)


def _row(values: tuple[float, ...]) -> jax.Array:
    return jnp.asarray(values, jnp.float32)[None, None, None]


@jax.jit
def _distances(params: Any, first: jax.Array, second: jax.Array) -> jax.Array:
    shape = (*first.shape[:-1], 3)  # Grey images are colour ones of three equal channels.
    signals = [jnp.broadcast_to(images_lib.to_signal(pixels), shape) for pixels in (first, second)]
    return jnp.asarray(PerceptualDistance().apply({"params": params}, *signals))
