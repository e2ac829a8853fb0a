"""What the networks of this project are called in PyTorch."""

import flax.linen as nn

from symmflow_jax.interop import files
from symmflow_jax.networks.velocity.latent_unet import LatentUNet
from symmflow_jax.networks.velocity.unet import UNet


def kind_of(network: nn.Module) -> str:
    """What a state dict of a network is called; a latent U-Net is a U-Net, too.

    Raises:
        ValueError: if the network has no form in PyTorch.
    """
    if isinstance(network, LatentUNet):
        return files.LATENT_UNET
    if isinstance(network, UNet):
        return files.PIXEL_UNET
    raise ValueError(
        f"config.network.name={type(network).__name__.lower()!r} has no form in PyTorch; weights "
        "are exchanged for unet and latent_unet."
    )
