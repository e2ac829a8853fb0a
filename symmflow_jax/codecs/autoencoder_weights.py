"""Weights of the autoencoder: read from PyTorch's files, and kept in the folder of a run.

A run has copies of its own, so that its folder is all that inference needs.
"""

import logging
import pathlib
from collections.abc import Callable
from typing import Any

import jax

from symmflow_jax.interop import files
from symmflow_jax.interop.files import PublishedWeights
from symmflow_jax.interop.hub.download import here
from symmflow_jax.interop.names import autoencoder as names
from symmflow_jax.interop.torch_files import WeightsFileError, of_file
from symmflow_jax.interop.weights_hash import hash_of
from symmflow_jax.networks.autoencoder import Autoencoder

_logger = logging.getLogger(__name__)

AUTOENCODER = "autoencoder.safetensors"
"""The run's copy of the autoencoder, with the names of diffusers."""

MASK_DECODER = "mask_decoder.safetensors"
"""The same autoencoder with a decoder for pictures of masks."""


def read(path: str | pathlib.Path, network: Autoencoder) -> dict[str, Any]:
    """Parameters "encoder" and "decoder", float32 on the host.

    Args:
        path: a file, folder or address of diffusers' `AutoencoderKL`, see `files.read_weights`.
        network: the network of the same sizes.

    Raises:
        WeightsFileError: if the file is missing, damaged, or of another kind.
        ValueError: if the weights are of other sizes, or not finite.
    """
    return _whole(path, files.read_weights(path, files.AUTOENCODER), network)


def _whole(
    path: str | pathlib.Path, found: PublishedWeights, network: Autoencoder
) -> dict[str, Any]:
    if found.kind != files.AUTOENCODER:
        advice = ""
        if found.kind == files.DECODER:
            advice = " A decoder alone is for config.autoencoder.mask_decoder."
        raise WeightsFileError(
            f"{path} holds the weights of {found.kind}; config.autoencoder needs those of an "
            f"AutoencoderKL of diffusers.{advice}"
        )
    with of_file(path):
        return names.params_from_state_dict(found.state_dict, network)


def read_mask_decoder(
    path: str | pathlib.Path, network: Autoencoder, weights: dict[str, Any]
) -> dict[str, Any]:
    """Parameters "encoder" and "decoder" of an autoencoder whose decoder is for masks.

    Args:
        path: a file or folder as in `read`, or one of the decoder alone, as the published
            `finetune_vae.py` writes it.
        network: the network of the same sizes.
        weights: the autoencoder, from which a decoder alone gets its encoder and the convolutions
            at the latents.

    Raises:
        WeightsFileError, ValueError: as `read`.
    """
    found = files.read_weights(path, files.AUTOENCODER)
    if found.kind != files.DECODER:
        return _whole(path, found, network)
    with of_file(path):
        params = names.params_with_decoder(found.state_dict, weights, network)
    _logger.info(
        "%s is a decoder alone; the encoder is that of config.autoencoder.weights, which the file "
        "cannot tell.",
        path,
    )
    return params


def write(path: pathlib.Path, params: dict[str, Any], network: Autoencoder) -> None:
    """Writes parameters "encoder" and "decoder" as diffusers would.

    Raises:
        WeightsFileError: if the file cannot be written.
    """
    host = jax.device_get({name: params[name] for name in ("encoder", "decoder")})
    files.write_state_dict(path, names.state_dict_from_params(host, network))


def of_run(
    workdir: pathlib.Path, given: str, given_mask_decoder: str, network: Autoencoder
) -> dict[str, Any]:
    """The weights of a run for the latent codec: its own copies, or else the given files.

    Args:
        workdir: folder of the run, which need not exist.
        given: file or folder of the autoencoder; need not exist if the run has a copy.
        given_mask_decoder: the same with a decoder for pictures of masks, or that decoder alone,
            or "".
        network: the network.

    Raises:
        WeightsFileError, ValueError: as `read`; if the run has copies of other weights than
            given; or if the decoder for masks belongs to another encoder.
    """
    weights = _kept_or_given(workdir / AUTOENCODER, given, "weights", lambda p: read(p, network))
    if not given_mask_decoder and not (workdir / MASK_DECODER).exists():
        return weights
    tuned = _kept_or_given(
        workdir / MASK_DECODER,
        given_mask_decoder,
        "mask_decoder",
        lambda path: read_mask_decoder(path, network, weights),
    )
    return _with_mask_decoder(weights, tuned)


def kept(workdir: pathlib.Path, network: Autoencoder) -> dict[str, Any]:
    """Reads the run's own copies, without the files that its config names.

    Raises:
        WeightsFileError, ValueError: as `read`.
    """
    weights = read(workdir / AUTOENCODER, network)
    if not (workdir / MASK_DECODER).exists():
        return weights
    return _with_mask_decoder(weights, read(workdir / MASK_DECODER, network))


def keep(workdir: pathlib.Path, weights: dict[str, Any], network: Autoencoder) -> None:
    """Writes those of the run's copies that do not exist.

    Raises:
        WeightsFileError: if a file cannot be written.
    """
    if not (workdir / AUTOENCODER).exists():
        write(workdir / AUTOENCODER, weights, network)
    if "mask_decoder" in weights and not (workdir / MASK_DECODER).exists():
        tuned = {"encoder": weights["encoder"], "decoder": weights["mask_decoder"]}
        write(workdir / MASK_DECODER, tuned, network)


def _with_mask_decoder(weights: dict[str, Any], tuned: dict[str, Any]) -> dict[str, Any]:
    if hash_of(tuned["encoder"]) != hash_of(weights["encoder"]):
        raise ValueError(
            "The decoder for masks (config.autoencoder.mask_decoder, or that in the run's folder) "
            "was made for another encoder than that of config.autoencoder.weights; make it again "
            "with --mode=finetune_vae."
        )
    return weights | {"mask_decoder": tuned["decoder"]}


def _kept_or_given(
    copy: pathlib.Path,
    given: str,
    key: str,
    read_file: Callable[[str | pathlib.Path], dict[str, Any]],
) -> dict[str, Any]:
    """Reads the run's copy, which must equal the given file if that is here.

    Nothing is downloaded to compare it: an address must be in the cache of the hub.
    """
    if not copy.exists():
        return read_file(given)
    params = read_file(copy)
    path = here(given) if given else None
    if given and not path:
        _logger.info("config.autoencoder.%s=%s is not here; %s is used.", key, given, copy)
    if path and hash_of(read_file(path)) != hash_of(params):
        raise ValueError(
            f"config.autoencoder.{key}={given} holds other weights than {copy}, which the run "
            "has used so far. Give those, or another --workdir."
        )
    return params
