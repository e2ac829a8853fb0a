"""The pixel U-Net of guided-diffusion (Dhariwal and Nichol 2021, arXiv 2105.05233)."""

import functools
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from symmflow_jax.networks.initializers import dense_bias, fan_in_uniform
from symmflow_jax.networks.time_embedding import TimeEmbedding


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
    """

    channels: int
    channel_multipliers: tuple[int, ...]
    num_res_blocks: int = 2
    attention_rates: tuple[int, ...] = ()
    head_channels: int = 64
    num_groups: int = 32
    dropout_rate: float = 0.0
    remat: bool = False
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(
        self, x_t: jax.Array, y_t: jax.Array, t: jax.Array, train: bool = False
    ) -> tuple[jax.Array, jax.Array]:
        """Velocities of image and semantics, float32, shaped as they are.

        Args:
            x_t: float `[batch, height, width, image channels]`, sides divisible by
                `2 ** (levels - 1)`.
            y_t: float `[batch, height, width, semantics channels]`.
            t: float `[batch]` in [0, 1].
            train: whether dropout is on (needs a "dropout" rng).

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
        embedding = nn.silu(
            TimeEmbedding(self.channels, 4 * self.channels, dtype=self.dtype, name="time")(t)
        )
        h = conv(self.channels * self.channel_multipliers[0], h, dtype=self.dtype, name="stem")
        h, skips = self._descend(h, embedding, train)
        h = self._block(h.shape[-1], "middle_block_0")(h, embedding, train)
        h = self._attention("middle_attention")(h)
        h = self._block(h.shape[-1], "middle_block_1")(h, embedding, train)
        h = self._ascend(h, skips, embedding, train)
        h = norm_silu(h, self.num_groups, self.dtype, "out_norm")
        h = conv(out_channels, h, zero=True, dtype=self.dtype, name="out_conv")
        v_x, v_y = jnp.split(h.astype(jnp.float32), [x_t.shape[-1]], axis=-1)
        return v_x, v_y

    def _descend(self, h, embedding, train):
        """The way down; returns the coarsest features and the skips, finest first."""
        skips = [h]
        for level, multiplier in enumerate(self.channel_multipliers):
            for index in range(self.num_res_blocks):
                name = f"down_{level}"
                h = self._block(multiplier * self.channels, f"{name}_block_{index}")(
                    h, embedding, train
                )
                if 2**level in self.attention_rates:
                    h = self._attention(f"{name}_attention_{index}")(h)
                skips.append(h)
            if level < len(self.channel_multipliers) - 1:
                h = conv(h.shape[-1], h, stride=2, dtype=self.dtype, name=f"down_{level}_conv")
                skips.append(h)
        return h, skips

    def _ascend(self, h, skips, embedding, train):
        """The way up, which takes the skips from the last to the first."""
        for level, multiplier in reversed(list(enumerate(self.channel_multipliers))):
            for index in range(self.num_res_blocks + 1):
                name = f"up_{level}"
                h = jnp.concatenate([h, skips.pop()], axis=-1)
                h = self._block(multiplier * self.channels, f"{name}_block_{index}")(
                    h, embedding, train
                )
                if 2**level in self.attention_rates:
                    h = self._attention(f"{name}_attention_{index}")(h)
            if level > 0:
                h = conv(h.shape[-1], double(h), dtype=self.dtype, name=f"up_{level}_conv")
        return h

    def _block(self, channels: int, name: str) -> Callable[..., jax.Array]:
        block = nn.remat(ResidualBlock, static_argnums=(3,)) if self.remat else ResidualBlock
        return block(channels, self.num_groups, self.dropout_rate, self.dtype, name=name)

    def _attention(self, name: str) -> Callable[..., jax.Array]:
        return AttentionBlock(self.head_channels, self.num_groups, self.dtype, name=name)


class ResidualBlock(nn.Module):
    """Two convolutions with the time embedding added in between; the second starts at zero."""

    channels: int
    num_groups: int
    dropout_rate: float
    dtype: jnp.dtype

    @nn.compact
    def __call__(self, x: jax.Array, embedding: jax.Array, train: bool) -> jax.Array:
        """`[batch, height, width, channels]` of x and the activated embedding `[batch, n]`."""
        h = norm_silu(x, self.num_groups, self.dtype, "in_norm")
        h = conv(self.channels, h, dtype=self.dtype, name="in_conv")
        shift = dense(self.channels, embedding, dtype=self.dtype, name="time_dense")
        h = norm_silu(h + shift[:, None, None], self.num_groups, self.dtype, "out_norm")
        h = nn.Dropout(self.dropout_rate, deterministic=not train)(h)
        h = conv(self.channels, h, zero=True, dtype=self.dtype, name="out_conv")
        if x.shape[-1] != self.channels:
            x = conv(self.channels, x, size=1, dtype=self.dtype, name="skip_conv")
        return x + h


class AttentionBlock(nn.Module):
    """Self-attention over all pixels, added to its input; its output starts at zero."""

    head_channels: int
    num_groups: int
    dtype: jnp.dtype

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """`[batch, height, width, channels]`, as x.

        Raises:
            ValueError: if the channels are no multiple of `head_channels`.
        """
        batch, height, width, channels = x.shape
        if channels % self.head_channels:
            raise ValueError(
                f"Attention over {channels} channels cannot have heads of {self.head_channels}; "
                "choose config.network.head_channels to divide them."
            )
        h = group_norm(self.num_groups, self.dtype, "norm")(x)
        h = jnp.reshape(h, (batch, height * width, channels))
        qkv = dense(3 * channels, h, dtype=self.dtype, name="qkv")
        heads = (batch, height * width, channels // self.head_channels, self.head_channels)
        query, key, value = (jnp.reshape(part, heads) for part in jnp.split(qkv, 3, axis=-1))
        h = jax.nn.dot_product_attention(query, key, value)
        h = jnp.reshape(h, (batch, height * width, channels))
        h = dense(channels, h, zero=True, dtype=self.dtype, name="out")
        return x + jnp.reshape(h, x.shape)


def conv(
    features: int,
    x: jax.Array,
    *,
    name: str,
    size: int = 3,
    stride: int = 1,
    zero: bool = False,
    dtype: jnp.dtype = jnp.float32,
) -> jax.Array:
    """A convolution padded on both sides by half its size, also where it strides."""
    padding = size // 2
    return nn.Conv(
        features,
        (size, size),
        strides=(stride, stride),
        padding=((padding, padding), (padding, padding)),
        kernel_init=nn.initializers.zeros if zero else fan_in_uniform,
        bias_init=nn.initializers.zeros if zero else dense_bias(size * size * x.shape[-1]),
        dtype=dtype,
        name=name,
    )(x)


def dense(
    features: int, x: jax.Array, *, name: str, zero: bool = False, dtype: jnp.dtype = jnp.float32
) -> jax.Array:
    """A dense layer over the last axis."""
    return nn.Dense(
        features,
        kernel_init=nn.initializers.zeros if zero else fan_in_uniform,
        bias_init=nn.initializers.zeros if zero else dense_bias(x.shape[-1]),
        dtype=dtype,
        name=name,
    )(x)


def group_norm(num_groups: int, dtype: jnp.dtype, name: str) -> nn.GroupNorm:
    """Group normalisation with PyTorch's epsilon and float32 statistics."""
    return nn.GroupNorm(num_groups, epsilon=1e-5, dtype=dtype, name=name)


def norm_silu(x: jax.Array, num_groups: int, dtype: jnp.dtype, name: str) -> jax.Array:
    """Group normalisation, then SiLU."""
    return nn.silu(group_norm(num_groups, dtype, name)(x))


def double(x: jax.Array) -> jax.Array:
    """Nearest-neighbour upsampling of `[batch, height, width, channels]` by two."""
    repeat = functools.partial(jnp.repeat, repeats=2)
    return repeat(repeat(x, axis=1), axis=2)
