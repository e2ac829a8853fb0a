"""Dropout whose masks belong to examples, and not to batches or devices."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from symmflow_jax.flow import keys
from symmflow_jax.flow.shapes import Component, ExampleKeys


class Dropout(nn.Module):
    """Zeroes activations at random and scales up the rest (Srivastava et al. 2014).

    Flax's own layer draws one mask for a device's part of the batch, so that an example's mask
    depends on how devices share the batch. Here it depends on the example's key and the layer.

    Attributes:
        rate: share of the activations that are zeroed, in [0, 1).
    """

    rate: float

    @nn.compact
    def __call__(self, x: Component, example_keys: ExampleKeys | None) -> Component:
        """`[batch, ...]`, as x.

        Args:
            x: float `[batch, ...]`.
            example_keys: a key for each example `[batch]`; None means no dropout.
        """
        if example_keys is None or self.rate == 0.0:
            return x
        layer_keys = keys.stream(example_keys, "/".join(self.path))
        keep = jax.vmap(lambda key: jax.random.bernoulli(key, 1.0 - self.rate, x.shape[1:]))
        return jnp.where(keep(layer_keys), x / (1.0 - self.rate), jnp.zeros_like(x))
