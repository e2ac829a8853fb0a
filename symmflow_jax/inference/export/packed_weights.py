"""Weights as arrays by name, in types that every NumPy reads and writes."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util

from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.methods.weights import Weights


def pack(method: SymmFlow, weights: Weights) -> dict[str, np.ndarray]:
    """The weights by name, such as "network/stem/kernel".

    Matrices have the dtype in which the network computes, so that those of a bfloat16 network take
    half of the space; no result depends on it (`SymmFlow.in_compute_dtype`). NumPy has no bfloat16,
    so these are uint16 of the same bits.

    Args:
        method: the method.
        weights: of its network and codec.
    """
    tree = jax.device_get(method.in_compute_dtype(weights))._asdict()
    flat = traverse_util.flatten_dict({k: v for k, v in tree.items() if v is not None}, sep="/")
    return {name: _storable(np.asarray(array)) for name, array in flat.items()}


def unpack(arrays: Mapping[str, Any]) -> Weights:
    """The inverse of `pack`, for arrays of JAX; may be traced."""
    tree = traverse_util.unflatten_dict(
        {name: _restored(array) for name, array in arrays.items()}, sep="/"
    )
    return Weights(tree["network"], tree.get("codec"))


def _storable(array: np.ndarray) -> np.ndarray:
    return array.view(np.uint16) if array.dtype == jnp.bfloat16 else array


def _restored(array: Any) -> Any:
    is_bits = array.dtype == jnp.uint16
    return jax.lax.bitcast_convert_type(array, jnp.bfloat16) if is_bits else array
