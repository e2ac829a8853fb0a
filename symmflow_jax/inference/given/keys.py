"""Random keys as users give them: keys of JAX, or seeds."""

from typing import Any

import jax

from symmflow_jax.config.schema import ranges

Key = jax.Array | int
"""A random key, or the seed of one."""


def as_key(key: Any) -> jax.Array:
    """The key itself, or that of a seed.

    Raises:
        ValueError: if it is neither a key nor a whole number from 0 to 2**32 - 1.
    """
    if isinstance(key, jax.Array):
        return key
    ranges.check_count("key", key, low=0)
    ranges.check("key", (int(key),), ranges.between(0, 2**32 - 1))
    return jax.random.key(int(key))
