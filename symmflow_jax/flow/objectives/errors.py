"""Errors of predictions, one for each example."""

import jax.numpy as jnp
from jaxtyping import Float

from symmflow_jax.flow.shapes import AnyArray, PerExample


def mean_squared_error(
    pred: Float[AnyArray, " batch *shape"], target: Float[AnyArray, " batch *shape"]
) -> PerExample:
    """The mean squared error of each example, float32 `[batch]`, over all other axes."""
    error = pred.astype(jnp.float32) - target.astype(jnp.float32)
    return jnp.mean(jnp.square(error), axis=tuple(range(1, error.ndim)))
