"""Errors of predictions, one for each example."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from symmflow_jax.flow.shapes import AnyArray, PerExample


def mean_squared_error(
    pred: Float[AnyArray, " batch *shape"],
    target: Float[AnyArray, " batch *shape"],
    known: Bool[Array, " batch *places"] | None = None,
) -> PerExample:
    """The mean squared error of each example, float32 `[batch]`, over all other axes.

    Args:
        pred: the predictions.
        target: what they should be.
        known: the places that count, with the first axes of the predictions; None for all. Without
            any place, the error is 0.
    """
    error = jnp.square(pred.astype(jnp.float32) - target.astype(jnp.float32))
    if known is None:
        return jnp.mean(error, axis=tuple(range(1, error.ndim)))
    return mean_over_known(jnp.mean(error, axis=tuple(range(known.ndim, error.ndim))), known)


def mean_over_known(
    values: Float[Array, " batch *places"], known: Bool[Array, " batch *places"]
) -> PerExample:
    """The mean of each example over its known places, float32 `[batch]`; 0 without any."""
    axes = tuple(range(1, values.ndim))
    # Not a product with the values, which may be anything where they do not count.
    total = jnp.sum(jnp.where(known, values, 0.0), axis=axes)
    return total / jnp.maximum(jnp.sum(known, axis=axes, dtype=jnp.float32), 1.0)
