"""Weights of the Inception network from the state dict of pytorch-fid.

The file is `pt_inception-2015-12-05-6726825d.pth` of pytorch-fid's release "fid_weights".
"""

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.interop.names import layouts
from symmflow_jax.interop.names.layouts import CONV, SAME, Entry, Path, Shape
from symmflow_jax.networks.perceptual.inception import Inception


def variables_from_state_dict(state_dict: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The variables of `Inception`, float32: "params" and "batch_stats".

    Args:
        state_dict: array of each name. The classifiers (`fc` and `AuxLogits`) and the counters
            of the normalizations are optional and unused.

    Raises:
        ValueError: naming the keys that are missing, surplus or of another shape.
    """
    shapes = _shapes()
    return layouts.from_state_dict(needed(state_dict), _table(shapes), shapes, _REMEDY)


def check(state_dict: Mapping[str, np.ndarray]) -> None:
    """Raises ValueError like `variables_from_state_dict`."""
    variables_from_state_dict(state_dict)


def needed(state_dict: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The state dict without the arrays that pooled features do not need."""
    return {
        name: array
        for name, array in state_dict.items()
        if not name.startswith(("fc.", "AuxLogits.")) and not name.endswith(".num_batches_tracked")
    }


def _shapes() -> dict[Path, Shape]:
    """The shape of each variable, without computation."""
    images = jax.ShapeDtypeStruct((1, 8, 8, 3), jnp.uint8)
    return layouts.shapes_of(jax.eval_shape(Inception().init, jax.random.key(0), images))


def _table(shapes: Mapping[Path, Shape]) -> Iterator[Entry]:
    """All variables; layers have equal names on both sides."""
    for path in shapes:
        _, *layers, kind = path
        yield Entry(".".join((*layers, _TORCH_KINDS[kind])), path, _LAYOUTS.get(kind, SAME))


_TORCH_KINDS = {
    "kernel": "weight",
    "scale": "weight",
    "bias": "bias",
    "mean": "running_mean",
    "var": "running_var",
}
_LAYOUTS = {"kernel": CONV}
_REMEDY = (
    "The Inception weights are those of pytorch-fid, pt_inception-2015-12-05-6726825d.pth; "
    "torchvision's inception_v3 is another network."
)
