"""The autoencoder of Stable Diffusion (Rombach et al. 2022, arXiv 2112.10752).

A variational autoencoder between images and latents of an eighth of their sides. It is used
frozen, with published weights.
"""

from typing import NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array, Float

from symmflow_jax.flow.shapes import Grid
from symmflow_jax.networks.layers.attention import MultiHeadAttention
from symmflow_jax.networks.layers.linear import conv, double
from symmflow_jax.networks.layers.normalization import GroupNorm, norm_silu
from symmflow_jax.networks.layers.residual_block import ResidualBlock

Latents = Float[Array, "batch latent_height latent_width latent_channels"]

_EPSILON = 1e-6
"""Epsilon of all normalisations here; the U-Net has 1e-5."""


class Posterior(NamedTuple):
    """A normal distribution over latents, independent in every value.

    Attributes:
        mean: float32 `[batch, height, width, latent channels]`, also the mode.
        log_variance: as `mean`, in [-30, 20].
    """

    mean: Latents
    log_variance: Latents

    def sample(self, noise: Latents) -> Latents:
        """Latents float32, shaped as `mean`, from standard normal noise of the same shape."""
        return self.mean + jnp.exp(0.5 * self.log_variance) * noise


class Autoencoder(nn.Module):
    """Images to the posterior of their latents, and latents to images.

    Latents are not scaled to unit variance; the caller does this.

    Attributes:
        channels: width of the first level; a multiple of `num_groups`.
        channel_multipliers: width of each level in units of `channels`; each but the last
            halves the sides.
        num_res_blocks: residual blocks of each level on the way down; one more on the way up.
        latent_channels: channels of the latents.
        image_channels: channels of the images.
        num_groups: groups of every group normalisation.
        dtype: computation dtype; parameters and normalisation statistics stay float32.
    """

    channels: int = 128
    channel_multipliers: tuple[int, ...] = (1, 2, 4, 4)
    num_res_blocks: int = 2
    latent_channels: int = 4
    image_channels: int = 3
    num_groups: int = 32
    dtype: DTypeLike = jnp.float32

    @property
    def rate(self) -> int:
        """Ratio of an image's sides to those of its latents."""
        return 2 ** (len(self.channel_multipliers) - 1)

    def setup(self):
        widths = tuple(multiplier * self.channels for multiplier in self.channel_multipliers)
        sizes = (widths, self.num_res_blocks, self.num_groups)
        self.encoder = Encoder(*sizes, 2 * self.latent_channels, self.dtype)
        self.decoder = Decoder(*sizes, self.latent_channels, self.image_channels, self.dtype)

    def __call__(self, images: Grid) -> Grid:
        """The images decoded from the means of their posteriors."""
        return self.decode(self.encode(images).mean)

    def encode(self, images: Grid) -> Posterior:
        """The posterior of images.

        Args:
            images: float in [-1, 1], `[batch, height, width, image_channels]`, sides divisible
                by `2 ** (levels - 1)`.

        Raises:
            ValueError: if the sides are not divisible.
        """
        if images.shape[1] % self.rate or images.shape[2] % self.rate:
            raise ValueError(
                f"Images of {images.shape[1]}x{images.shape[2]} have no latents of a {self.rate}th "
                f"of their sides; choose sides divisible by {self.rate}."
            )
        moments = self.encoder(images).astype(jnp.float32)
        mean, log_variance = jnp.split(moments, 2, axis=-1)
        return Posterior(mean, jnp.clip(log_variance, -30.0, 20.0))

    def decode(self, latents: Latents) -> Grid:
        """Images, float32 in about [-1, 1], of `[batch, height, width, latent_channels]`."""
        return self.decoder(latents).astype(jnp.float32)


class Encoder(nn.Module):
    """Images to `out_channels` moments: `[batch, height / rate, width / rate, out_channels]`."""

    widths: tuple[int, ...]
    num_res_blocks: int
    num_groups: int
    out_channels: int
    dtype: DTypeLike

    @nn.compact
    def __call__(
        self, images: Grid
    ) -> Float[Array, "batch latent_height latent_width {self.out_channels}"]:
        h = conv(self.widths[0], images, dtype=self.dtype, name="stem")
        for level, width in enumerate(self.widths):
            for index in range(self.num_res_blocks):
                block = _block(width, self.num_groups, self.dtype, f"down_{level}_block_{index}")
                h = block(h, None)
            if level < len(self.widths) - 1:
                # The windows begin at the first pixel: only right and below are zeros.
                h = conv(
                    width,
                    h,
                    stride=2,
                    padding=(0, 1),
                    dtype=self.dtype,
                    name=f"down_{level}_conv",
                )
        h = Middle(self.num_groups, self.dtype, name="middle")(h)
        h = norm_silu(h, self.num_groups, self.dtype, "out_norm", _EPSILON)
        h = conv(self.out_channels, h, dtype=self.dtype, name="out_conv")
        return conv(self.out_channels, h, size=1, dtype=self.dtype, name="moments_conv")


class Decoder(nn.Module):
    """Latents to images: `[batch, rate * height, rate * width, out_channels]`."""

    widths: tuple[int, ...]
    num_res_blocks: int
    num_groups: int
    latent_channels: int
    out_channels: int
    dtype: DTypeLike

    @nn.compact
    def __call__(self, latents: Latents) -> Grid:
        h = conv(self.latent_channels, latents, size=1, dtype=self.dtype, name="latents_conv")
        h = conv(self.widths[-1], h, dtype=self.dtype, name="stem")
        h = Middle(self.num_groups, self.dtype, name="middle")(h)
        for level, width in reversed(list(enumerate(self.widths))):
            for index in range(self.num_res_blocks + 1):
                block = _block(width, self.num_groups, self.dtype, f"up_{level}_block_{index}")
                h = block(h, None)
            if level > 0:
                h = conv(width, double(h), dtype=self.dtype, name=f"up_{level}_conv")
        h = norm_silu(h, self.num_groups, self.dtype, "out_norm", _EPSILON)
        return conv(self.out_channels, h, dtype=self.dtype, name="out_conv")


class Middle(nn.Module):
    """Attention of one head over all pixels, between two residual blocks."""

    num_groups: int
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Grid) -> Grid:
        batch, height, width, channels = x.shape
        x = _block(channels, self.num_groups, self.dtype, "block_0")(x, None)
        h = GroupNorm(self.num_groups, _EPSILON, self.dtype, name="norm")(x)
        h = jnp.reshape(h, (batch, height * width, channels))
        h = MultiHeadAttention(channels, use_bias=True, dtype=self.dtype, name="attention")(h, h)
        x = x + jnp.reshape(h, x.shape)
        return _block(channels, self.num_groups, self.dtype, "block_1")(x, None)


def _block(channels: int, num_groups: int, dtype: DTypeLike, name: str) -> ResidualBlock:
    return ResidualBlock(channels, num_groups, 0.0, dtype, _EPSILON, name=name)
