"""Table of velocity networks, and their construction."""

import dataclasses

import flax.linen as nn
import jax.numpy as jnp

from symmflow_jax.config.choices import Choice
from symmflow_jax.config.values import NetworkConfig


@dataclasses.dataclass(frozen=True)
class NetworkChoice(Choice):
    """A Flax module whose attributes take the values of `config.network` of equal names.

    Attributes:
        renamed: pairs of an attribute and its key in `config.network`, if the names differ.
    """

    renamed: tuple[tuple[str, str], ...] = ()

    @property
    def used_keys(self) -> set[str]:
        """The keys of `config.network` that the network uses."""
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
    """Makes the velocity network.

    Raises:
        ValueError: if `num_groups` does not divide `channels`.
    """
    choice = NETWORKS[config.name]
    values = dataclasses.asdict(config) | {"dtype": jnp.dtype(config.dtype)}
    used = choice.used_keys
    if "num_groups" in used and config.channels % config.num_groups:
        raise ValueError(
            f"config.network.channels is {config.channels}, which num_groups="
            f"{config.num_groups} does not divide."
        )
    renamed = {attribute: values[key] for attribute, key in choice.renamed}
    same = used - {"name"} - {key for _, key in choice.renamed}
    return choice.resolve()(**{key: values[key] for key in same}, **renamed)
