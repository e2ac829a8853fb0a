"""Import of weights of PyTorch programs as a checkpoint (`--mode=import`)."""

import dataclasses
import logging
import pathlib
from collections.abc import Mapping
from typing import cast

import flax.linen as nn
import jax
import numpy as np

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.interop import files
from symmflow_jax.interop.files import PublishedWeights
from symmflow_jax.interop.hub.download import here
from symmflow_jax.interop.hub.origin import Origin, origin_of
from symmflow_jax.interop.kinds import check_attention_order, kind_of
from symmflow_jax.interop.names import latent_unet, pixel_unet
from symmflow_jax.interop.torch_files import WeightsFileError, of_file
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.methods.weights import Params
from symmflow_jax.networks.velocity.latent_unet import PROMPT_EMBEDDING, LatentUNet
from symmflow_jax.networks.velocity.unet import LATER_TIMES, UNet
from symmflow_jax.preparation.imported.assumed_settings import PUBLISHED_GROUPS, AssumedSettings
from symmflow_jax.preparation.imported.loss_check import Candidate, check_losses
from symmflow_jax.runs import folder
from symmflow_jax.runs.checkpointing import layout, opening, saving
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
    new_attention_order: bool = False,
    num_checked: int | None = None,
) -> None:
    """Writes PyTorch weights as a checkpoint of step 0, and logs their loss on a few examples.

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
        new_attention_order: for a pixel U-Net, whether it was made with `use_new_attention_order`.
        num_checked: examples of the check of the loss, see `loss_check`; 0 for no check. By default
            64, or 8 for a latent U-Net, whose passes take long.

    Raises:
        WeightsFileError: if a file is missing, damaged, of another kind, or holds several state
            dicts of which none is preferred; or if an address cannot be fetched.
        ValueError: if the weights do not fit the config, or are not finite, or the workdir cannot
            be written.
        DataError: if the classes are not known without the data set, and the data is missing.
        CheckpointError: if the workdir has checkpoints, or cannot be written.
    """
    outputs.check_writable(workdir, folder.INSTEAD)
    layout.check_empty(workdir)
    experiment = experiment.without_files()
    method = experiment.method
    num_channels = sum(shape[-1] for shape in method.codec.shapes)
    check_attention_order(method.network, new_attention_order)
    weights = files.read_weights(path, kind_of(method.network), weights_key)
    _check_kind(weights, method.network, path)
    is_widened = False
    if isinstance(method.network, LatentUNet):
        params = _latent_params(weights, method.network, num_channels, path, prompt_embedding)
        is_widened = latent_unet.num_channels(weights.state_dict) != num_channels
        candidates = [Candidate(method, lambda: params)]
    else:
        params, candidates = _pixel_candidates(weights, method, path, new_attention_order)
    if params["stem"]["kernel"].shape[2] != num_channels:
        raise ValueError(
            f"{path} is for {params['stem']['kernel'].shape[2]} channels of images and semantics "
            f"together; config.data and config.semantics make {num_channels}."
        )
    clocked = _with_later_times(params, method)
    codec_weights = experiment.codec_weights(workdir)
    experiment.keep_codec_weights(workdir, codec_weights)
    origins = _origins(experiment, path, prompt_embedding)
    _save(experiment, workdir, clocked, origins)
    _logger.info(
        "Imported from %s into %s: %d parameters, %d classes.",
        origins["weights"],
        workdir,
        sum(leaf.size for leaf in jax.tree.leaves(clocked)),
        experiment.schema.num_classes,
    )
    if num_checked is None:
        num_checked = 8 if isinstance(method.network, LatentUNet) else 64
    if not num_checked or not processes.is_primary():
        return
    if is_widened:
        _logger.info("No check of the loss: repeated weights have not learned this flow yet.")
        return
    check_losses(experiment, candidates, codec_weights, num_checked)


def _origins(
    experiment: Experiment, path: str | pathlib.Path, prompt_embedding: str | pathlib.Path | None
) -> dict[str, Origin]:
    """Where the weights come from, by what they are; files that are not here were not read."""
    given: dict[str, str | pathlib.Path] = {"weights": path, **experiment.codec_files()}
    if prompt_embedding is not None and prompt_embedding != _ZEROS:
        given["prompt_embedding"] = prompt_embedding
    return {key: origin_of(place) for key, place in given.items() if here(place)}


def _save(
    experiment: Experiment, workdir: pathlib.Path, params: Params, origins: Mapping[str, Origin]
) -> None:
    """Writes the checkpoint, the description of the run and the record of the origins."""
    with opening.open_manager(workdir, experiment.train.keep_checkpoints) as manager:
        saving.save_weights(manager, params, describe(experiment))
    if processes.is_primary():
        folder.write_description(workdir, experiment.to_json())
        record = {key: origin.to_json() for key, origin in origins.items()}
        text_files.write_json(workdir / IMPORT, record)


def _check_kind(weights: PublishedWeights, network: nn.Module, path: str | pathlib.Path) -> None:
    """Raises a ValueError if weights are of another kind than a network."""
    wanted = kind_of(network)
    if weights.kind != wanted:
        raise ValueError(
            f"{path} holds the weights of {weights.kind}; config.network describes {wanted}. Give "
            "the config, or config.network.name, that goes with the weights."
        )


def _pixel_candidates(
    weights: PublishedWeights,
    method: SymmFlow,
    path: str | pathlib.Path,
    new_attention_order: bool,
) -> tuple[Params, list[Candidate]]:
    """The parameters with the settings of the user, and these beside others that fit too.

    Raises:
        ValueError: if the weights do not fit the network.
    """
    network = cast(UNet, method.network)
    assumed = AssumedSettings.of(network, new_attention_order)
    with of_file(path):
        params = pixel_unet.params_from_state_dict(weights.state_dict, network, new_attention_order)
    _logger.info("%s: %s", path, assumed.described())
    if assumed.num_groups != PUBLISHED_GROUPS:
        _logger.warning(
            "config.network.num_groups is %d, but the published UNetModel always has %d; keep it "
            "only for weights of a network of this project.",
            assumed.num_groups,
            PUBLISHED_GROUPS,
        )

    def candidate(settings: AssumedSettings) -> Candidate:
        other = network.clone(head_channels=settings.head_channels, num_groups=settings.num_groups)
        return Candidate(
            dataclasses.replace(method, network=other),
            lambda: pixel_unet.params_from_state_dict(
                weights.state_dict, other, settings.new_attention_order
            ),
            assumed.changes_to(settings),
        )

    own = Candidate(method, lambda: params)
    return params, [own, *map(candidate, assumed.alternatives(network))]


def _with_later_times(params: Params, method: SymmFlow) -> Params:
    """Adds the embeddings of the times after the first, which have no effect at the start."""
    added = set(jax.eval_shape(method.init, jax.random.key(0))) & set(LATER_TIMES)
    if not added:
        return params

    def init(key: jax.Array) -> Params:
        return {name: module for name, module in method.init(key).items() if name in added}

    return {**params, **jax.jit(init)(jax.random.key(0))}


def _latent_params(
    weights: PublishedWeights,
    network: LatentUNet,
    num_channels: int,
    path: str | pathlib.Path,
    prompt_embedding: str | pathlib.Path | None,
) -> Params:
    """Converts weights of a latent U-Net, with its prompt embedding and the number of channels."""
    latent_unet.check_settings(weights.settings, network)
    if not {"attention_head_dim", "norm_num_groups"} <= set(weights.settings):
        _logger.info(
            "%s: heads of %d channels, %d groups: not in the file or in a config.json beside it, "
            "taken from config.network.head_channels and config.network.num_groups.",
            path,
            network.head_channels,
            network.num_groups,
        )
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
