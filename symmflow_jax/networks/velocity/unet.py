"""The pixel U-Net of guided-diffusion (Dhariwal and Nichol 2021, arXiv 2105.05233)."""

import functools
from collections.abc import Callable
from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float, Float32

from symmflow_jax.flow.shapes import AnyArray, ExampleKeys, Grid, NetworkTimes
from symmflow_jax.networks.layers.attention import count_heads
from symmflow_jax.networks.layers.fused_attention import attend
from symmflow_jax.networks.layers.linear import conv, dense, double
from symmflow_jax.networks.layers.normalization import GroupNorm, norm_silu
from symmflow_jax.networks.layers.residual_block import ResidualBlock
from symmflow_jax.networks.layers.time_embedding import TimeEmbedding

LATER_TIMES = ("semantics_time", "span")
"""Names of the embeddings of the times after the first, which start at zero."""


class UNet(nn.Module):
    """Velocity network of images and semantics on the same grid.

    Attributes:
        channels: width of the first level; a multiple of `num_groups`.
        channel_multipliers: width of each level in units of `channels`.
        num_res_blocks: residual blocks of each level on the way down; one more on the way up.
        attention_rates: downsampling rates (1, 2, 4, ...) at which blocks attend; the
            middle block always does.
        head_channels: width of one attention head.
        num_groups: groups of every group normalisation.
        dropout_rate: dropout inside the residual blocks, in training.
        remat: recompute each residual block in the backward pass to save memory.
        dtype: computation dtype; parameters and normalisation statistics stay float32.
        attention: implementation of attention, "auto" or "xla"; tangents need "xla", see
            `fused_attention.attend`.
    """

    channels: int
    channel_multipliers: tuple[int, ...]
    num_res_blocks: int = 2
    attention_rates: tuple[int, ...] = ()
    head_channels: int = 64
    num_groups: int = 32
    dropout_rate: float = 0.0
    remat: bool = False
    dtype: DTypeLike = jnp.float32
    attention: str = "auto"

    attention_name: ClassVar[str] = "attention"
    in_layer: ClassVar[str] = "stem"
    out_layer: ClassVar[str] = "out_conv"

    @nn.compact
    def __call__(
        self,
        x_t: Float[AnyArray, "batch height width image_channels"],
        y_t: Float[AnyArray, "batch height width semantics_channels"],
        t: NetworkTimes,
        dropout_keys: ExampleKeys | None = None,
    ) -> tuple[
        Float32[Array, "batch height width image_channels"],
        Float32[Array, "batch height width semantics_channels"],
    ]:
        """Velocities of image and semantics, float32, shaped as they are.

        Args:
            x_t: float `[batch, height, width, image channels]`, sides divisible by
                `2 ** (levels - 1)`.
            y_t: float `[batch, height, width, semantics channels]`.
            t: float `[batch]` in [0, 1], or `[batch, 2]` with a time for each component, or
                `[batch, 3]` with these and a span of time. Each embedding after the first starts
                at zero: with the weights of a network of fewer times, the outputs are the same.
            dropout_keys: a key for each example `[batch]` turns dropout on.

        Raises:
            ValueError: if the sides are not divisible.
        """
        rate = 2 ** (len(self.channel_multipliers) - 1)
        if x_t.shape[1] % rate or x_t.shape[2] % rate:
            raise ValueError(
                f"Images of {x_t.shape[1]}x{x_t.shape[2]} cannot be halved "
                f"{len(self.channel_multipliers) - 1} times; choose sides divisible by {rate}."
            )
        h = jnp.concatenate([x_t, y_t], axis=-1)
        out_channels = h.shape[-1]
        embedding = nn.silu(self._embed(t))
        h = conv(self.channels * self.channel_multipliers[0], h, dtype=self.dtype, name="stem")
        h, skips = self._descend(h, embedding, dropout_keys)
        h = self._block(h.shape[-1], "middle_block_0")(h, embedding, dropout_keys)
        h = self._attend(h, f"middle_{self.attention_name}")
        h = self._block(h.shape[-1], "middle_block_1")(h, embedding, dropout_keys)
        h = self._ascend(h, skips, embedding, dropout_keys)
        h = norm_silu(h, self.num_groups, self.dtype, "out_norm")
        h = conv(out_channels, h, zero=True, dtype=self.dtype, name="out_conv")
        v_x, v_y = jnp.split(h.astype(jnp.float32), [x_t.shape[-1]], axis=-1)
        return v_x, v_y

    def _embed(self, t: NetworkTimes) -> Float[Array, "batch {4*self.channels}"]:
        """The embedding of one time, of two, or of two and a span."""
        form = functools.partial(TimeEmbedding, self.channels, 4 * self.channels, dtype=self.dtype)
        first, *others = (t,) if t.ndim == 1 else jnp.unstack(t, axis=-1)
        embedding = form(name="time")(first)
        for name, time in zip(LATER_TIMES, others, strict=False):
            embedding += form(zero=True, name=name)(time)
        return embedding

    def _descend(
        self,
        h: Grid,
        embedding: Float[Array, "batch features"],
        dropout_keys: ExampleKeys | None,
    ) -> tuple[Array, list[Array]]:
        """The way down; returns the coarsest features and the skips, finest first."""
        skips = [h]
        for level, multiplier in enumerate(self.channel_multipliers):
            for index in range(self.num_res_blocks):
                name = f"down_{level}"
                h = self._block(multiplier * self.channels, f"{name}_block_{index}")(
                    h, embedding, dropout_keys
                )
                if 2**level in self.attention_rates:
                    h = self._attend(h, f"{name}_{self.attention_name}_{index}")
                skips.append(h)
            if level < len(self.channel_multipliers) - 1:
                h = conv(h.shape[-1], h, stride=2, dtype=self.dtype, name=f"down_{level}_conv")
                skips.append(h)
        return h, skips

    def _ascend(
        self,
        h: Grid,
        skips: list[Array],
        embedding: Float[Array, "batch features"],
        dropout_keys: ExampleKeys | None,
    ) -> Array:
        """The way up, which takes the skips from the last to the first."""
        for level, multiplier in reversed(list(enumerate(self.channel_multipliers))):
            for index in range(self.num_res_blocks + 1):
                name = f"up_{level}"
                h = jnp.concatenate([h, skips.pop()], axis=-1)
                h = self._block(multiplier * self.channels, f"{name}_block_{index}")(
                    h, embedding, dropout_keys
                )
                if 2**level in self.attention_rates:
                    h = self._attend(h, f"{name}_{self.attention_name}_{index}")
            if level > 0:
                h = conv(h.shape[-1], double(h), dtype=self.dtype, name=f"up_{level}_conv")
        return h

    def _block(self, channels: int, name: str) -> Callable[..., Array]:
        block = nn.remat(ResidualBlock) if self.remat else ResidualBlock
        return block(channels, self.num_groups, self.dropout_rate, self.dtype, name=name)

    def _attend(self, h: Grid, name: str) -> Grid:
        """The attention that follows a block."""
        return AttentionBlock(
            self.head_channels, self.num_groups, self.dtype, self.attention, name=name
        )(h)


class AttentionBlock(nn.Module):
    """Self-attention over all pixels, added to its input; its output starts at zero."""

    head_channels: int
    num_groups: int
    dtype: DTypeLike
    attention: str = "auto"

    @nn.compact
    def __call__(self, x: Grid) -> Grid:
        """`[batch, height, width, channels]`, as x.

        Raises:
            ValueError: if the channels are no multiple of `head_channels`.
        """
        batch, height, width, channels = x.shape
        num_heads = count_heads(channels, self.head_channels)
        h = GroupNorm(self.num_groups, 1e-5, self.dtype, name="norm")(x)
        h = jnp.reshape(h, (batch, height * width, channels))
        qkv = dense(3 * channels, h, dtype=self.dtype, name="qkv")
        heads = (batch, height * width, num_heads, self.head_channels)
        query, key, value = (jnp.reshape(part, heads) for part in jnp.split(qkv, 3, axis=-1))
        h = attend(query, key, value, self.attention)
        h = jnp.reshape(h, (batch, height * width, channels))
        h = dense(channels, h, zero=True, dtype=self.dtype, name="out")
        return x + jnp.reshape(h, x.shape)
