"""All arrays of a model, and those that no train step changes."""

from typing import Any, NamedTuple

import jax
from jax.typing import DTypeLike

Params = Any
"""A pytree of float32 arrays."""


class Weights(NamedTuple):
    """All arrays of a model.

    Attributes:
        network: parameters of the velocity network.
        codec: parameters of the codec's network, or None if it has none.
        teacher: parameters of a frozen velocity network of the same kind, without spans, which a
            flow map is trained towards; or None.
    """

    network: Params
    codec: Params | None = None
    teacher: Params | None = None


class FrozenWeights(NamedTuple):
    """The arrays of a model that no train step changes; attributes as in `Weights`."""

    codec: Params | None = None
    teacher: Params | None = None


def cast_matrices(weights: Weights, network: DTypeLike, codec: DTypeLike) -> Weights:
    """Casts matrices and kernels; vectors do not change.

    Args:
        weights: of network, codec and teacher.
        network: dtype of the matrices of the network and of its teacher.
        codec: dtype of those of the codec.
    """

    def cast(params: Params, dtype: DTypeLike) -> Params:
        return jax.tree.map(lambda leaf: leaf.astype(dtype) if leaf.ndim > 1 else leaf, params)

    return Weights(
        cast(weights.network, network),
        cast(weights.codec, codec),
        cast(weights.teacher, network),
    )
