"""The residual block of the convolutional networks."""

import flax.linen as nn
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from symmflow_jax.flow.shapes import ExampleKeys, Grid
from symmflow_jax.networks.layers.dropout import Dropout
from symmflow_jax.networks.layers.linear import conv, dense
from symmflow_jax.networks.layers.normalization import norm_silu


class ResidualBlock(nn.Module):
    """Two convolutions with the time embedding added in between; the second starts at zero.

    Attributes:
        channels: width of the result.
        num_groups: groups of the normalisations.
        dropout_rate: dropout before the second convolution, in training.
        dtype: computation dtype.
        epsilon: epsilon of the normalisations.
    """

    channels: int
    num_groups: int
    dropout_rate: float
    dtype: DTypeLike
    epsilon: float = 1e-5

    @nn.compact
    def __call__(
        self,
        x: Grid,
        embedding: Float[Array, "batch features"] | None,
        dropout_keys: ExampleKeys | None = None,
    ) -> Float[Array, "batch height width {self.channels}"]:
        """`[batch, height, width, channels]`.

        Args:
            x: float `[batch, height, width, n]`.
            embedding: activated embedding of time `[batch, n]`; None for a block without time.
            dropout_keys: a key for each example `[batch]`, or None for no dropout.
        """
        h = norm_silu(x, self.num_groups, self.dtype, "in_norm", self.epsilon)
        h = conv(self.channels, h, dtype=self.dtype, name="in_conv")
        if embedding is not None:
            shift = dense(self.channels, embedding, dtype=self.dtype, name="time_dense")
            h = h + shift[:, None, None]
        h = norm_silu(h, self.num_groups, self.dtype, "out_norm", self.epsilon)
        h = Dropout(self.dropout_rate, name="dropout")(h, dropout_keys)
        h = conv(self.channels, h, zero=True, dtype=self.dtype, name="out_conv")
        if x.shape[-1] != self.channels:
            x = conv(self.channels, x, size=1, dtype=self.dtype, name="skip_conv")
        return x + h
