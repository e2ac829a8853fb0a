"""Reads PyTorch weights from files and folders, recognizes their network, and writes weights.

Supported are folders of diffusers (`diffusion_pytorch_model.safetensors` or its shards, beside
`config.json`), `.safetensors` files and files of `torch.save`. The state dict may be the whole
file or lie under a key of a training checkpoint. Its names may have prefixes of outer modules.
"""

import contextlib
import dataclasses
import json
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors.numpy

from symmflow_jax.interop.torch_files import WeightsFileError, read_tensors
from symmflow_jax.runtime import outputs

PIXEL_UNET = "a pixel U-Net"
LATENT_UNET = "a latent U-Net"
AUTOENCODER = "an autoencoder"

# A name that occurs in every state dict of the network and of no other network.
_MARKERS = {
    AUTOENCODER: "encoder.conv_norm_out.weight",
    LATENT_UNET: "time_embedding.linear_1.weight",
    PIXEL_UNET: "time_embed.0.weight",
}

# Keys of the state dict in training checkpoints; averaged weights come first.
_PLACES = ((), ("ema",), ("ema_model",), ("model",), ("state_dict",))

_STEM = "diffusion_pytorch_model"
_NUM_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class PublishedWeights:
    """The weights of one network.

    Attributes:
        kind: `PIXEL_UNET`, `LATENT_UNET` or `AUTOENCODER`.
        state_dict: the arrays by their names in the network.
        settings: contents of `config.json` beside the weights; empty if there is none.
    """

    kind: str
    state_dict: Mapping[str, np.ndarray]
    settings: Mapping[str, Any]


def read_weights(path: str | pathlib.Path) -> PublishedWeights:
    """Reads the weights of a file or of a folder of diffusers.

    Raises:
        WeightsFileError: if a file is missing or damaged, or holds no known network or several.
    """
    path = _file_of(pathlib.Path(path))
    if path.name.endswith(".index.json"):
        weights = _recognize(_read_shards(path))
    else:
        weights = _read_file(path)
    if weights is None:
        raise WeightsFileError(
            f"{path} holds none of the networks known here: a U-Net of guided-diffusion, or "
            "UNet2DConditionModel or AutoencoderKL of diffusers."
        )
    return dataclasses.replace(weights, settings=_read_settings(path))


def write_state_dict(path: pathlib.Path, state_dict: dict[str, np.ndarray]) -> None:
    """Writes a `.safetensors` file for PyTorch, atomically.

    Raises:
        WeightsFileError: if the file cannot be written.
    """
    partial = outputs.partial_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Libraries of PyTorch require this metadata.
        safetensors.numpy.save_file(state_dict, partial, metadata={"format": "pt"})
        partial.replace(path)
    except (OSError, safetensors.SafetensorError) as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise WeightsFileError(
            f"{path} could not be written ({error}). Free space there, or give another --output "
            "or --workdir."
        ) from error


def _file_of(path: pathlib.Path) -> pathlib.Path:
    """The file of a path, or in a folder of diffusers its weights or index of shards."""
    if not path.is_dir():
        return path
    names = [f"{_STEM}{ending}" for ending in (".safetensors.index.json", ".safetensors", ".bin")]
    for name in names:
        if (path / name).is_file():
            return path / name
    parts = [part for part in ("unet", "vae") if (path / part).is_dir()]
    advice = f" Give one of its folders: {', '.join(parts)}." if parts else ""
    raise WeightsFileError(f"{path} has none of {', '.join(names)}.{advice}")


def _read_shards(index: pathlib.Path) -> dict[str, np.ndarray]:
    """All tensors of the shards in an index."""
    try:
        places = json.loads(index.read_text())["weight_map"]
        files = sorted({pathlib.Path(file).name for file in places.values()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsFileError(f"{index} is damaged ({error!r}); fetch it again.") from error
    tensors: dict[str, np.ndarray] = {}
    for file in files:
        tensors |= read_tensors(index.with_name(file))
    missing = [name for name in places if name not in tensors]
    if missing:
        raise WeightsFileError(
            f"{index} names {len(missing)} tensors that are in none of its files, such as "
            f"{', '.join(missing[:_NUM_SHOWN])}; fetch the folder again."
        )
    return tensors


def _read_file(path: pathlib.Path) -> PublishedWeights | None:
    """The network in a file, under any of the usual keys, or None."""
    errors = []
    for place in _PLACES:
        try:
            weights = _recognize(read_tensors(path, place))
        except WeightsFileError as error:
            errors.append(error)
            continue
        if weights is not None:
            return weights
    if len(errors) == len(_PLACES):
        raise errors[0]
    return None


def _recognize(tensors: Mapping[str, np.ndarray]) -> PublishedWeights | None:
    """The network whose marker is among the names, without prefixes of outer modules, or None.

    Arrays outside of these modules keep their names and are reported as surplus later.
    """
    for kind, marker in _MARKERS.items():
        found = [name for name in tensors if name == marker or name.endswith(f".{marker}")]
        if len(found) > 1:
            raise WeightsFileError(
                f"The file holds {kind} more than once ({', '.join(found)}); save the state dict "
                "of one of them, best that of the averaged weights."
            )
        if found:
            prefix = found[0].removesuffix(marker)
            state_dict = {name.removeprefix(prefix): value for name, value in tensors.items()}
            return PublishedWeights(kind, state_dict, {})
    return None


def _read_settings(path: pathlib.Path) -> dict[str, Any]:
    """The contents of `config.json` beside a file with the default name of diffusers."""
    settings = path.with_name("config.json")
    if not path.name.startswith(_STEM) or not settings.is_file():
        return {}
    try:
        values = json.loads(settings.read_text())
    except ValueError as error:
        raise WeightsFileError(f"{settings} is damaged ({error}); fetch it again.") from error
    return values if isinstance(values, dict) else {}
