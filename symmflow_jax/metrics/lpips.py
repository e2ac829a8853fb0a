"""LPIPS, the learned perceptual distance of two images (Zhang et al., arXiv 1801.03924)."""

import dataclasses
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.codecs import images as images_lib
from symmflow_jax.interop.files import read_state_dict
from symmflow_jax.interop.names.lpips import params_from_state_dict
from symmflow_jax.interop.torch_files import of_file
from symmflow_jax.interop.weights_hash import hash_of
from symmflow_jax.networks.perceptual.lpips import SMALLEST, PerceptualDistance


@dataclasses.dataclass(frozen=True, eq=False)
class Lpips:
    """LPIPS with identified weights.

    Attributes:
        weights_hash: first 16 hexadecimal digits of the SHA-256 of the weights.
        params: parameters of `PerceptualDistance`, on the device.
    """

    weights_hash: str
    params: Any = dataclasses.field(repr=False)

    def __call__(self, first: jax.Array | np.ndarray, second: jax.Array | np.ndarray) -> jax.Array:
        """The distance of each pair, float32 `[batch]`, at least 0; 0 for equal images.

        Args:
            first: images `[batch, height, width, 1 or 3]`, uint8 or float in [-1, 1].
            second: images of the same shape.

        Raises:
            ValueError: if the shapes differ, are no image shapes or are too small for the network.
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
    """Reads LPIPS with the weights of a file.

    Args:
        path: file of `python -m symmflow_jax.interop.convert_metric_weights --network=lpips`.

    Raises:
        ValueError: if the file is missing or not of this network.
    """
    state_dict = read_state_dict(path)
    with of_file(path):
        params = params_from_state_dict(state_dict)
    return Lpips(hash_of(params), jax.tree.map(jnp.asarray, params))


@jax.jit
def _distances(params: Any, first: jax.Array, second: jax.Array) -> jax.Array:
    shape = (*first.shape[:-1], 3)  # Grey images become colour images.
    signals = [jnp.broadcast_to(images_lib.to_signal(pixels), shape) for pixels in (first, second)]
    return jnp.asarray(PerceptualDistance().apply({"params": params}, *signals))
