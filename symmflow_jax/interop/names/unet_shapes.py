"""Shapes of the parameters of a U-Net, with input channels read from the weights."""

import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util

from symmflow_jax.interop.names import layouts
from symmflow_jax.interop.names.layouts import Path, Shape
from symmflow_jax.networks.velocity.unet import UNet

_ANY = 2  # For missing convolutions, which the comparison of shapes reports.


def channels_of(state_dict: Mapping[str, np.ndarray], first: str, last: str) -> int:
    """Total channels of image and semantics; 2 if the convolutions are missing.

    Args:
        state_dict: array of each name.
        first: name of the first convolution's kernel, `[out, in, height, width]`.
        last: name of the last convolution's kernel.
    """
    for name, axis in ((first, 1), (last, 0)):
        if np.ndim(state_dict.get(name, 0)) == 4:
            return np.shape(state_dict[name])[axis]
    return _ANY


def shapes_for(params: Mapping[str, Any], network: UNet) -> dict[Path, Shape]:
    """The expected shapes of parameters, with the input channels of their stem."""
    stem = np.shape(traverse_util.flatten_dict(params).get(("stem", "kernel"), ()))
    return param_shapes(network, stem[2] if len(stem) == 4 else _ANY)


@functools.cache
def param_shapes(network: UNet, num_channels: int) -> dict[Path, Shape]:
    """The shape of each parameter, without computation."""
    side = 2 ** (len(network.channel_multipliers) - 1)
    x = jax.ShapeDtypeStruct((1, side, side, num_channels), jnp.float32)
    y = jax.ShapeDtypeStruct((1, side, side, 0), jnp.float32)
    t = jax.ShapeDtypeStruct((1,), jnp.float32)
    variables = jax.eval_shape(network.init, jax.random.key(0), x, y, t)
    return layouts.shapes_of(variables["params"])
