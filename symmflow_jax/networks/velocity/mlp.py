"""A multilayer perceptron for data without a grid, such as points in the plane."""

from typing import ClassVar

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

    in_layer: ClassVar[str] = "dense_0"
    out_layer: ClassVar[str] = "out_dense"

    @nn.compact
    def __call__(
        self,
        x_t: Float[AnyArray, "batch n"],
        y_t: Float[AnyArray, "batch m"],
        t: NetworkTimes,
        dropout_keys: ExampleKeys | None = None,
    ) -> tuple[Float32[Array, "batch n"], Float32[Array, "batch m"]]:
        """Velocities, float32, of points `[batch, n]` and semantics `[batch, m]`.

        The time t is `[batch]`, or `[batch, 2]` with one for the point and one for the semantics,
        or `[batch, 3]` with these and a span of time, whose weights start at zero.
        """
        del dropout_keys  # There is no dropout here.
        times = jnp.reshape(t, (t.shape[0], -1))
        times, span = times[:, :2], times[:, 2:]
        h = jnp.concatenate([x_t, y_t, times], axis=-1)
        for layer in range(self.num_layers):
            h = nn.Dense(self.features, dtype=self.dtype, name=f"dense_{layer}")(h)
            if layer == 0 and span.shape[-1]:
                h += self._span(span)
            h = nn.silu(h)
        channels = x_t.shape[-1] + y_t.shape[-1]
        h = nn.Dense(channels, dtype=self.dtype, name="out_dense")(h)
        v_x, v_y = jnp.split(h.astype(jnp.float32), [x_t.shape[-1]], axis=-1)
        return v_x, v_y

    def _span(self, span: Float[Array, "batch 1"]) -> Float[Array, "batch {self.features}"]:
        zeros = nn.initializers.zeros
        form = nn.Dense(
            self.features, use_bias=False, kernel_init=zeros, dtype=self.dtype, name="span"
        )
        return form(span)
