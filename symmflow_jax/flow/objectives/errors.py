"""Errors of predictions, one for each example."""

import jax
import jax.numpy as jnp


def mean_squared_error(pred: jax.Array, target: jax.Array) -> jax.Array:
    """Float32 `[batch]`, the mean over all other axes."""
    error = pred.astype(jnp.float32) - target.astype(jnp.float32)
    return jnp.mean(jnp.square(error), axis=tuple(range(1, error.ndim)))
