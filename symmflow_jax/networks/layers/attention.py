"""Multi-head attention and the transformer of the latent U-Net."""

import flax.linen as nn
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from symmflow_jax.flow.shapes import Grid
from symmflow_jax.networks.layers.fused_attention import attend
from symmflow_jax.networks.layers.linear import dense
from symmflow_jax.networks.layers.normalization import GroupNorm, layer_norm


class MultiHeadAttention(nn.Module):
    """Attention of tokens to a context, with dense layers before and after.

    Attributes:
        head_channels: width of one head.
        use_bias: whether query, key and value have biases; the result has one anyway.
        dtype: computation dtype; the softmax is in float32.
        attention: implementation of attention, see `fused_attention.attend`.
    """

    head_channels: int
    use_bias: bool
    dtype: DTypeLike
    attention: str = "auto"

    @nn.compact
    def __call__(
        self,
        tokens: Float[Array, "batch length channels"],
        context: Float[Array, "#batch context_length context_channels"],
    ) -> Float[Array, "batch length channels"]:
        """`[batch, length, channels]`, as `tokens`.

        Args:
            tokens: `[batch, length, channels]`.
            context: `[batch, context length, n]`, or `[1, context length, n]` for the same
                context of every example, whose keys and values are computed once.

        Raises:
            ValueError: if the channels are no multiple of `head_channels`.
        """
        batch, _, channels = tokens.shape
        num_heads = count_heads(channels, self.head_channels)

        def project(
            x: Float[Array, "#batch tokens in_channels"], name: str
        ) -> Float[Array, "batch tokens heads head_channels"]:
            h = dense(channels, x, use_bias=self.use_bias, dtype=self.dtype, name=name)
            h = jnp.reshape(h, (*x.shape[:2], num_heads, self.head_channels))
            return jnp.broadcast_to(h, (batch, *h.shape[1:]))

        parts = project(tokens, "query"), project(context, "key"), project(context, "value")
        h = attend(*parts, self.attention)
        return dense(channels, jnp.reshape(h, tokens.shape), dtype=self.dtype, name="out")


class SpatialTransformer(nn.Module):
    """Self-attention, attention to a context and a gated feed-forward layer over all pixels.

    The transformer of Latent Diffusion (Rombach et al. 2022, arXiv 2112.10752) in the form of
    Stable Diffusion 2, where the layers on both sides of it are dense.

    Attributes:
        head_channels: width of one head.
        num_groups: groups of the normalisation at its beginning.
        dtype: computation dtype.
        attention: implementation of attention, see `fused_attention.attend`.
    """

    head_channels: int
    num_groups: int
    dtype: DTypeLike
    attention: str = "auto"

    @nn.compact
    def __call__(
        self, x: Grid, context: Float[Array, "#batch context_length context_channels"]
    ) -> Grid:
        """`[batch, height, width, channels]`, as x; for `context` see `MultiHeadAttention`."""
        batch, height, width, channels = x.shape
        h = GroupNorm(self.num_groups, 1e-6, self.dtype, name="norm")(x)
        h = jnp.reshape(h, (batch, height * width, channels))
        h = dense(channels, h, dtype=self.dtype, name="in_dense")
        tokens = layer_norm(h, name="self_norm")
        h = h + self._attention("self_attention")(tokens, tokens)
        h = h + self._attention("cross_attention")(layer_norm(h, name="cross_norm"), context)
        h = h + self._feed_forward(layer_norm(h, name="feed_norm"))
        h = dense(channels, h, dtype=self.dtype, name="out_dense")
        return x + jnp.reshape(h, x.shape)

    def _attention(self, name: str) -> MultiHeadAttention:
        return MultiHeadAttention(
            self.head_channels,
            use_bias=False,
            dtype=self.dtype,
            attention=self.attention,
            name=name,
        )

    def _feed_forward(
        self, h: Float[Array, "batch length channels"]
    ) -> Float[Array, "batch length channels"]:
        """Four times as wide inside, gated by GELU (Shazeer 2020, arXiv 2002.05202)."""
        channels = h.shape[-1]
        h = dense(8 * channels, h, dtype=self.dtype, name="feed_in")
        h, gate = jnp.split(h, 2, axis=-1)
        h = h * nn.gelu(gate, approximate=False)
        return dense(channels, h, dtype=self.dtype, name="feed_out")


def count_heads(channels: int, head_channels: int) -> int:
    """Heads of attention over some channels.

    Raises:
        ValueError: if `head_channels` does not divide them.
    """
    if channels % head_channels:
        raise ValueError(
            f"Attention over {channels} channels cannot have heads of {head_channels}; "
            "choose config.network.head_channels to divide them."
        )
    return channels // head_channels
