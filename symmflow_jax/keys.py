"""Random keys for single examples, so that no result depends on batches or devices."""

import jax


def example_keys(key: jax.Array, indices: jax.Array) -> jax.Array:
    """One key for each example, made of a shared key and the example's own index.

    Args:
        key: a typed key (`jax.random.key`).
        indices: int array `[batch]`.
    """
    return jax.vmap(jax.random.fold_in, (None, 0))(key, indices)


def normal(keys: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Standard normal float32 `[batch, *shape]`, each example from its own key."""
    return jax.vmap(lambda key: jax.random.normal(key, shape))(keys)
