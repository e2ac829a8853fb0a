"""Reads PyTorch weights from files and folders, recognizes their network, and writes weights.

Supported are folders of diffusers and accelerate (whole or in shards, in full precision or as a
variant such as fp16; see `folders`), `.safetensors` files and files of `torch.save`. The state dict
may be the whole file or lie anywhere in a training checkpoint, see `places`.
"""

import dataclasses
import json
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors.numpy

from symmflow_jax.interop import places
from symmflow_jax.interop.folders import weight_file
from symmflow_jax.interop.folders.shards import read_shards
from symmflow_jax.interop.hub.download import fetched
from symmflow_jax.interop.places import Place
from symmflow_jax.interop.torch_files import Select, WeightsFileError, read_selected
from symmflow_jax.runtime import outputs
from symmflow_jax.runtime.errors import first_line

PIXEL_UNET = "a pixel U-Net"
LATENT_UNET = "a latent U-Net"
AUTOENCODER = "an autoencoder"
DECODER = "one half of an autoencoder"

# A name that occurs in every state dict of the network and of no other network. Each half of an
# autoencoder has its marker too.
_MARKERS = {
    AUTOENCODER: "encoder.conv_norm_out.weight",
    DECODER: "mid_block.attentions.0.group_norm.weight",
    LATENT_UNET: "time_embedding.linear_1.weight",
    PIXEL_UNET: "time_embed.0.weight",
}


@dataclasses.dataclass(frozen=True)
class PublishedWeights:
    """The weights of one network.

    Attributes:
        kind: `PIXEL_UNET`, `LATENT_UNET`, `AUTOENCODER` or `DECODER`.
        state_dict: the arrays by their names in the network.
        settings: contents of `config.json` beside the weights; empty if there is none.
    """

    kind: str
    state_dict: Mapping[str, np.ndarray]
    settings: Mapping[str, Any]


def read_weights(
    path: str | pathlib.Path, kind: str | None = None, key: str | None = None
) -> PublishedWeights:
    """Reads the weights of a file or of a folder.

    In a training checkpoint the state dict is found by its names; averaged weights come first.

    Args:
        path: the file or folder, or an address on the hub (`hub.address.FORM`).
        kind: the kind that is wanted, if there are several in the file.
        key: key of the state dict in a checkpoint, such as "state_dict/ema_model"; see `places`.
            "" looks for it; None as well, for commands without the flag `--weights_key`.

    Raises:
        WeightsFileError: if a file is missing or damaged, or holds no known network, or several of
            which none is preferred; or if there is nothing at the key.
    """
    path = weight_file.weight_file(fetched(path))

    def select(content: Any) -> dict[str, Any]:
        part = places.within(path, content, key) if key else content
        found = _without_halves(places.find(part, _MARKERS, tuple(key.split("/")) if key else ()))
        if not found:
            raise _unknown(path, part)
        return places.choose(path, found, kind, has_flag=key is not None)

    state_dict = _read(path, select)
    kinds = [kind for kind, marker in _MARKERS.items() if marker in state_dict]
    return PublishedWeights(kinds[0], state_dict, _read_settings(path))


def read_state_dict(path: str | pathlib.Path, key: str = "") -> dict[str, np.ndarray]:
    """The tensors at the top of a file, or else in its only dictionary with tensors.

    Args:
        path: the file, its address on the hub, or a folder as in `read_weights`.
        key: key of the state dict, as in `read_weights`; "" looks for it.

    Raises:
        WeightsFileError: as `read_tensors`; if several dictionaries hold tensors; or if there is
            nothing at the key.
    """
    path = weight_file.weight_file(fetched(path))
    return _read(
        path,
        lambda content: places.only_state_dict(
            path, places.within(path, content, key) if key else content
        ),
    )


def write_state_dict(path: pathlib.Path, state_dict: dict[str, np.ndarray]) -> None:
    """Writes a `.safetensors` file for PyTorch, atomically.

    Raises:
        WeightsFileError: if the file cannot be written.
    """
    try:
        with outputs.placing(path) as partial:
            # Libraries of PyTorch require this metadata.
            safetensors.numpy.save_file(state_dict, partial, metadata={"format": "pt"})
    except (OSError, safetensors.SafetensorError) as error:
        raise WeightsFileError(
            f"{path} could not be written ({error}). Free space there, or give another --output "
            "or --workdir."
        ) from error


def _read(path: pathlib.Path, select: Select) -> dict[str, np.ndarray]:
    """The tensors that a function selects in a file or in the shards of an index."""
    if weight_file.is_index(path):
        return dict(select(read_shards(path)))
    return read_selected(path, select)


def _without_halves(found: list[Place]) -> list[Place]:
    """The places without the halves of whole autoencoders."""
    halves = {
        (place.keys, f"{place.prefix}{half}.")
        for place in found
        if place.kind == AUTOENCODER
        for half in ("encoder", "decoder")
    }
    return [place for place in found if (place.keys, place.prefix) not in halves]


def _unknown(path: pathlib.Path, content: Any) -> WeightsFileError:
    """The error for contents without a known network."""
    at = places.where_tensors_are(content)
    if not at:
        return places.nothing_in(path, content)
    return WeightsFileError(
        f"{path} holds none of the networks known here: a U-Net of guided-diffusion, or "
        f"UNet2DConditionModel or AutoencoderKL of diffusers. Its tensors are at {at}."
    )


def _read_settings(path: pathlib.Path) -> dict[str, Any]:
    """The contents of `config.json` beside a file with the default name of diffusers."""
    settings = path.with_name("config.json")
    if not weight_file.has_default_name(path) or not settings.is_file():
        return {}
    try:
        values = json.loads(settings.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsFileError(
            f"{settings} is damaged ({first_line(error)}); fetch it again."
        ) from error
    return values if isinstance(values, dict) else {}
