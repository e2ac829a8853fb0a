"""Kinds of PyTorch networks that correspond to the networks of this project."""

import flax.linen as nn

from symmflow_jax.interop import files
from symmflow_jax.networks.velocity.latent_unet import LatentUNet
from symmflow_jax.networks.velocity.unet import UNet


def kind_of(network: nn.Module) -> str:
    """The kind of the state dict of a network, `PIXEL_UNET` or `LATENT_UNET`.

    Raises:
        ValueError: if the network has no counterpart in PyTorch.
    """
    # Tested first, because a latent U-Net is also a `UNet`.
    if isinstance(network, LatentUNet):
        return files.LATENT_UNET
    if isinstance(network, UNet):
        return files.PIXEL_UNET
    raise ValueError(
        f"config.network.name={type(network).__name__.lower()!r} has no form in PyTorch; weights "
        "are exchanged for unet and latent_unet."
    )


def check_attention_order(network: nn.Module, new_attention_order: bool) -> None:
    """Raises a ValueError if the order of attention is asked of a network that has only one."""
    if new_attention_order and kind_of(network) != files.PIXEL_UNET:
        raise ValueError(
            "--use_new_attention_order is a setting of pixel U-Nets (config.network.name='unet'); "
            "leave it out for other networks."
        )
