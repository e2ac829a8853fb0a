"""Weights of LPIPS from the state dicts of torchvision's AlexNet and of the lpips package.

The convolutions are those of torchvision's `alexnet-owt-7be5be79.pth`, the weights of the
differences those of `lpips/weights/v0.1/alex.pth`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.interop.names import layouts
from symmflow_jax.interop.names.layouts import CONV, Entry, Layout, layer
from symmflow_jax.networks.perceptual.lpips import SMALLEST, PerceptualDistance


def params_from_state_dict(state_dict: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The parameters of `PerceptualDistance`, float32.

    Args:
        state_dict: arrays of both state dicts together; AlexNet's classifier is optional.

    Raises:
        ValueError: naming the keys that are missing, surplus or of another shape.
    """
    images = jax.ShapeDtypeStruct((1, SMALLEST, SMALLEST, 3), jnp.float32)
    variables = jax.eval_shape(PerceptualDistance().init, jax.random.key(0), images, images)
    shapes = layouts.shapes_of(variables["params"])
    return layouts.from_state_dict(needed(state_dict), _table(), shapes, _REMEDY)


def check(state_dict: Mapping[str, np.ndarray]) -> None:
    """Raises ValueError like `params_from_state_dict`."""
    params_from_state_dict(state_dict)


def needed(state_dict: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The state dict without AlexNet's classifier, which the distance does not need."""
    return {name: array for name, array in state_dict.items() if not name.startswith("classifier.")}


def _table() -> Iterator[Entry]:
    for level, position in enumerate((0, 3, 6, 8, 10)):
        yield from layer(f"features.{position}", (f"conv_{level}",), CONV)
    for level in range(5):
        yield Entry(f"lin{level}.model.1.weight", (f"head_{level}",), _HEAD)


_HEAD = Layout(lambda array: array[0, :, 0, 0], lambda array: array[None, :, None, None])
"""A 1x1 convolution to one channel without bias, `[1, in, 1, 1]`, and a vector, `[in]`."""
_REMEDY = (
    "LPIPS takes the convolutions of torchvision's alexnet-owt-7be5be79.pth and, from the lpips "
    "package, weights/v0.1/alex.pth."
)
