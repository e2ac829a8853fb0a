"""A multilayer perceptron for data without a grid, such as points in the plane."""

import flax.linen as nn
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Float32

from symmflow_jax.flow.shapes import AnyArray, ExampleKeys, NetworkTimes


class MLP(nn.Module):
    """Dense layers with SiLU over the point, its semantics and the time.

    Attributes:
        features: width of each hidden layer.
        num_layers: number of hidden layers.
        dtype: computation dtype.
    """

    features: int = 256
    num_layers: int = 4
    dtype: DTypeLike = jnp.float32

    @nn.compact
    def __call__(
        self,
        x_t: Float[AnyArray, "batch n"],
        y_t: Float[AnyArray, "batch m"],
        t: NetworkTimes,
        dropout_keys: ExampleKeys | None = None,
    ) -> tuple[Float32[Array, "batch n"], Float32[Array, "batch m"]]:
        """Velocities, float32, of points `[batch, n]` and semantics `[batch, m]`.

        The time t is `[batch]`, or `[batch, 2]` with one for the point and one for the semantics.
        """
        del dropout_keys  # There is no dropout here.
        h = jnp.concatenate([x_t, y_t, jnp.reshape(t, (t.shape[0], -1))], axis=-1)
        for layer in range(self.num_layers):
            h = nn.silu(nn.Dense(self.features, dtype=self.dtype, name=f"dense_{layer}")(h))
        channels = x_t.shape[-1] + y_t.shape[-1]
        h = nn.Dense(channels, dtype=self.dtype, name="out_dense")(h)
        v_x, v_y = jnp.split(h.astype(jnp.float32), [x_t.shape[-1]], axis=-1)
        return v_x, v_y
