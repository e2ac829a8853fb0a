"""Import of weights of PyTorch programs as a checkpoint (`--mode=import`)."""

import logging
import pathlib
from typing import cast

import flax.linen as nn
import jax
import numpy as np

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.interop import files
from symmflow_jax.interop.files import PublishedWeights
from symmflow_jax.interop.hub.download import here
from symmflow_jax.interop.hub.origin import Origin, origin_of
from symmflow_jax.interop.kinds import kind_of
from symmflow_jax.interop.names import latent_unet, pixel_unet
from symmflow_jax.interop.torch_files import WeightsFileError, of_file
from symmflow_jax.methods.symmflow import Params, SymmFlow
from symmflow_jax.networks.velocity.latent_unet import PROMPT_EMBEDDING, LatentUNet
from symmflow_jax.networks.velocity.unet import UNet
from symmflow_jax.runs import checkpoints, folder
from symmflow_jax.runs.identity import describe
from symmflow_jax.runtime import files as text_files, outputs, processes

_logger = logging.getLogger(__name__)

IMPORT = "import.json"
"""File of a run that says where its imported weights come from."""

_ZEROS = "zeros"


def import_weights(
    experiment: Experiment,
    path: str | pathlib.Path,
    workdir: pathlib.Path,
    prompt_embedding: str | pathlib.Path | None = None,
    weights_key: str = "",
) -> None:
    """Writes PyTorch weights as a checkpoint of step 0.

    `symmflow_jax.load` reads the checkpoint, and a training starts from it. With a clock for each
    component, the parameters of the second clock start at zero. The weights are those of a
    velocity network or of the U-Net of Stable Diffusion. The latter is widened from the channels
    of images to those of images and semantics; see `latent_unet.repeat_channels`.

    `import.json` in the folder says where the weights come from: paths or addresses as given, the
    commit on the hub, and SHA-256 of the files.

    Args:
        experiment: the run; the weights must fit its network.
        path: a file, folder or address, see `files.read_weights`.
        workdir: folder of the run, without checkpoints yet.
        prompt_embedding: for a latent U-Net, a file with a single tensor, the embedding of the
            empty prompt `[77, 1024]` or `[1, 77, 1024]`; or "zeros".
        weights_key: key of the state dict in a training checkpoint, such as "ema/online"; ""
            looks for it, see `files.read_weights`.

    Raises:
        WeightsFileError: if a file is missing, damaged, of another kind, or holds several state
            dicts of which none is preferred; or if an address cannot be fetched.
        ValueError: if the weights do not fit the config, or are not finite, or the workdir cannot
            be written.
        DataError: if the classes are not known without the data set, and the data is missing.
        CheckpointError: if the workdir has checkpoints, or cannot be written.
    """
    outputs.check_writable(workdir, folder.INSTEAD)
    checkpoints.check_empty(workdir)
    experiment = experiment.without_files()
    method = experiment.method
    num_channels = sum(shape[-1] for shape in method.codec.shapes)
    weights = files.read_weights(path, kind_of(method.network), weights_key)
    params = _params(weights, method.network, num_channels, path, prompt_embedding)
    if params["stem"]["kernel"].shape[2] != num_channels:
        raise ValueError(
            f"{path} is for {params['stem']['kernel'].shape[2]} channels of images and semantics "
            f"together; config.data and config.semantics make {num_channels}."
        )
    if method.time_sampling.num_clocks > 1:
        params = _with_second_clock(params, method)
    codec_weights = experiment.codec_weights(workdir)
    experiment.keep_codec_weights(workdir, codec_weights)
    origins = _origins(experiment, path, prompt_embedding)
    with checkpoints.open_manager(workdir, experiment.train.keep_checkpoints) as manager:
        checkpoints.save_weights(manager, params, describe(experiment))
    if processes.is_primary():
        folder.write_description(workdir, experiment.to_json())
        record = {key: origin.to_json() for key, origin in origins.items()}
        text_files.write_json(workdir / IMPORT, record)
    _logger.info(
        "Imported from %s into %s: %d parameters, %d classes.",
        origins["weights"],
        workdir,
        sum(leaf.size for leaf in jax.tree.leaves(params)),
        experiment.schema.num_classes,
    )


def _origins(
    experiment: Experiment, path: str | pathlib.Path, prompt_embedding: str | pathlib.Path | None
) -> dict[str, Origin]:
    """Where the weights come from, by what they are; files that are not here were not read."""
    given: dict[str, str | pathlib.Path] = {"weights": path, **experiment.codec_files()}
    if prompt_embedding is not None and prompt_embedding != _ZEROS:
        given["prompt_embedding"] = prompt_embedding
    return {key: origin_of(place) for key, place in given.items() if here(place)}


def _params(
    weights: PublishedWeights,
    network: nn.Module,
    num_channels: int,
    path: str | pathlib.Path,
    prompt_embedding: str | pathlib.Path | None,
) -> Params:
    """Converts weights to parameters of the network.

    Raises:
        ValueError: if the weights are of another kind of network, or do not fit it.
    """
    wanted = kind_of(network)
    if weights.kind != wanted:
        raise ValueError(
            f"{path} holds the weights of {weights.kind}; config.network describes {wanted}. Give "
            "the config, or config.network.name, that goes with the weights."
        )
    if isinstance(network, LatentUNet):
        return _latent_params(weights, network, num_channels, path, prompt_embedding)
    with of_file(path):
        return pixel_unet.params_from_state_dict(weights.state_dict, cast(UNet, network))


def _with_second_clock(params: Params, method: SymmFlow) -> Params:
    """Adds the parameters of the second clock, which are zero, to those of one clock."""
    name = "semantics_time"
    return {**params, name: jax.jit(lambda key: method.init(key)[name])(jax.random.key(0))}


def _latent_params(
    weights: PublishedWeights,
    network: LatentUNet,
    num_channels: int,
    path: str | pathlib.Path,
    prompt_embedding: str | pathlib.Path | None,
) -> Params:
    """Converts weights of a latent U-Net, with its prompt embedding and the number of channels."""
    latent_unet.check_settings(weights.settings, network)
    state_dict = dict(weights.state_dict)
    if prompt_embedding is not None:
        state_dict[PROMPT_EMBEDDING] = _prompt_embedding(prompt_embedding, network)
    if PROMPT_EMBEDDING not in state_dict:
        raise ValueError(
            f"{path} has no embedding of the empty prompt, which the network attends to; give a "
            "file of this one tensor with --prompt_embedding (launch/empty_prompt.py makes it), or "
            "--prompt_embedding=zeros."
        )
    times, rest = divmod(num_channels, latent_unet.num_channels(state_dict))
    if times > 1 and not rest:
        state_dict = latent_unet.repeat_channels(state_dict, times)
        _logger.info("First and last convolution repeated %d times for images and masks.", times)
    with of_file(path if prompt_embedding is None else f"{path}, {prompt_embedding}"):
        return latent_unet.params_from_state_dict(state_dict, network)


def _prompt_embedding(path: str | pathlib.Path, network: LatentUNet) -> np.ndarray:
    """Zeros, or the only tensor of a file, without a batch axis."""
    if path == _ZEROS:
        return np.zeros((network.prompt_length, network.cross_attention_width), np.float32)
    tensors = list(files.read_state_dict(path).values())
    if len(tensors) > 1:
        raise WeightsFileError(
            f"{path} holds {len(tensors)} tensors; --prompt_embedding is a file of one."
        )
    (tensor,) = tensors
    return tensor[0] if tensor.ndim == 3 and len(tensor) == 1 else tensor
