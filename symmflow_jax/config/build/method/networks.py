"""Table of velocity networks, and their construction."""

import dataclasses

import flax.linen as nn
import jax.numpy as jnp

from symmflow_jax.config.choices import Choice
from symmflow_jax.config.values import Config, NetworkConfig


@dataclasses.dataclass(frozen=True)
class NetworkChoice(Choice):
    """A Flax module whose attributes take the values of `config.network` of equal names.

    Attributes:
        renamed: pairs of an attribute and its key in `config.network`, if the names differ.
        image_dims: lengths of `config.data.image_size` that it takes: 2 for images, 0 for points.
    """

    renamed: tuple[tuple[str, str], ...] = ()
    image_dims: tuple[int, ...] = (0, 2)

    @property
    def used_keys(self) -> set[str]:
        """The keys of `config.network` that the network uses."""
        fields = {field.name for field in dataclasses.fields(self.resolve())}  # type: ignore[arg-type]
        keys = {field.name for field in dataclasses.fields(NetworkConfig)}
        same = (fields & keys) - {attribute for attribute, _ in self.renamed}
        return {"name"} | same | {key for _, key in self.renamed}


NETWORKS: dict[str, NetworkChoice] = {
    "unet": NetworkChoice(
        "symmflow_jax.networks.velocity.unet:UNet",
        "the U-Net of guided-diffusion, for pixels",
        image_dims=(2,),
    ),
    "latent_unet": NetworkChoice(
        "symmflow_jax.networks.velocity.latent_unet:LatentUNet",
        "the U-Net of Stable Diffusion, with transformers and the empty prompt",
        image_dims=(2,),
    ),
    "mlp": NetworkChoice(
        "symmflow_jax.networks.velocity.mlp:MLP",
        "dense layers, for points",
        (("features", "channels"), ("num_layers", "num_res_blocks")),
        image_dims=(0,),
    ),
}
"""The values of `config.network.name`."""


def make_network(config: NetworkConfig) -> nn.Module:
    """Makes the velocity network of a checked config."""
    choice = NETWORKS[config.name]
    values = dataclasses.asdict(config) | {"dtype": jnp.dtype(config.dtype)}
    used = choice.used_keys
    renamed = {attribute: values[key] for attribute, key in choice.renamed}
    same = used - {"name"} - {key for _, key in choice.renamed}
    return choice.resolve()(**{key: values[key] for key in same}, **renamed)


def num_halvings(config: Config) -> int:
    """How often autoencoder and network halve the sides of images; 0 for one without levels."""
    if "channel_multipliers" not in NETWORKS[config.network.name].used_keys:
        return 0
    of_autoencoder = config.autoencoder.channel_multipliers if config.autoencoder.weights else (1,)
    return len(config.network.channel_multipliers) + len(of_autoencoder) - 2
