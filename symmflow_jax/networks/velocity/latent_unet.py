"""The latent U-Net: that of Stable Diffusion (Rombach et al. 2022, arXiv 2112.10752).

By default in the sizes of Stable Diffusion 2.1.
"""

from typing import ClassVar

import flax.linen as nn
import jax

from symmflow_jax.flow.shapes import Grid
from symmflow_jax.networks.layers.attention import SpatialTransformer
from symmflow_jax.networks.velocity.unet import UNet

PROMPT_EMBEDDING = "prompt_embedding"
"""Name of the latent U-Net's parameter that is not learned."""


class LatentUNet(UNet):
    """The U-Net with transformers that also attend to a text.

    The text never changes: it is the empty prompt, whose embedding is the parameter
    "prompt_embedding" `[prompt_length, cross_attention_width]`, so that a checkpoint carries it.
    It gets no gradient, and is zero until weights are imported.

    Attributes:
        prompt_length: tokens of the prompt.
        cross_attention_width: width of their embeddings.
    """

    channels: int = 320
    channel_multipliers: tuple[int, ...] = (1, 2, 4, 4)
    attention_rates: tuple[int, ...] = (1, 2, 4)
    prompt_length: int = 77
    cross_attention_width: int = 1024

    attention_name: ClassVar[str] = "transformer"

    def setup(self):
        shape = (self.prompt_length, self.cross_attention_width)
        self.prompt_embedding = self.param(PROMPT_EMBEDDING, nn.initializers.zeros, shape)

    def _attend(self, h: Grid, name: str) -> Grid:
        transformer = nn.remat(SpatialTransformer) if self.remat else SpatialTransformer
        context = jax.lax.stop_gradient(self.prompt_embedding)[None].astype(self.dtype)
        return transformer(
            self.head_channels, self.num_groups, self.dtype, self.attention, name=name
        )(h, context)
