"""Velocity networks by name."""

import dataclasses

import flax.linen as nn
import jax.numpy as jnp

from symmflow_jax.config.choices import Choice
from symmflow_jax.config.values import NetworkConfig


@dataclasses.dataclass(frozen=True)
class NetworkChoice(Choice):
    """A module whose attributes are values of `config.network` of the same names.

    Attributes:
        renamed: attributes that have another name there, each before that name.
    """

    renamed: tuple[tuple[str, str], ...] = ()

    def used_keys(self) -> set[str]:
        """The keys of `config.network` that it takes."""
        fields = {field.name for field in dataclasses.fields(self.resolve())}  # type: ignore[arg-type]
        keys = {field.name for field in dataclasses.fields(NetworkConfig)}
        same = (fields & keys) - {attribute for attribute, _ in self.renamed}
        return {"name"} | same | {key for _, key in self.renamed}


NETWORKS: dict[str, NetworkChoice] = {
    "unet": NetworkChoice(
        "symmflow_jax.networks.velocity.unet:UNet", "the U-Net of guided-diffusion, for pixels"
    ),
    "latent_unet": NetworkChoice(
        "symmflow_jax.networks.velocity.latent_unet:LatentUNet",
        "the U-Net of Stable Diffusion, with transformers and the empty prompt",
    ),
    "mlp": NetworkChoice(
        "symmflow_jax.networks.velocity.mlp:MLP",
        "dense layers, for points",
        (("features", "channels"), ("num_layers", "num_res_blocks")),
    ),
}
"""The values of `config.network.name`."""


def make_network(config: NetworkConfig) -> nn.Module:
    """The velocity network.

    Raises:
        ValueError: if a width does not fit the groups of the normalisations.
    """
    choice = NETWORKS[config.name]
    values = dataclasses.asdict(config) | {"dtype": jnp.dtype(config.dtype)}
    used = choice.used_keys()
    if "num_groups" in used and config.channels % config.num_groups:
        raise ValueError(
            f"config.network.channels is {config.channels}, which num_groups="
            f"{config.num_groups} does not divide."
        )
    renamed = {attribute: values[key] for attribute, key in choice.renamed}
    same = used - {"name"} - {key for _, key in choice.renamed}
    return choice.resolve()(**{key: values[key] for key in same}, **renamed)
