"""Export of a run's weights with the parameter names of PyTorch programs (`--mode=export`)."""

import logging
import pathlib
from typing import cast

import flax.linen as nn
import jax
import numpy as np

from symmflow_jax.inference import loading
from symmflow_jax.interop import files
from symmflow_jax.interop.kinds import check_attention_order, kind_of
from symmflow_jax.interop.names import latent_unet, pixel_unet
from symmflow_jax.interop.names.torch_form import PLAIN_FORM, TorchForm
from symmflow_jax.methods.weights import Params
from symmflow_jax.networks.velocity.latent_unet import PROMPT_EMBEDDING, LatentUNet
from symmflow_jax.networks.velocity.unet import UNet
from symmflow_jax.runtime import outputs

_logger = logging.getLogger(__name__)


def export_weights(
    workdir: pathlib.Path,
    path: pathlib.Path,
    checkpoint: str = "latest",
    form: TorchForm = PLAIN_FORM,
    *,
    overwrite: bool = False,
) -> None:
    """Writes the averaged weights of a run as `.safetensors`, with PyTorch's parameter names.

    The file has the names of the PyTorch module and no others, so that `load_state_dict` is strict.
    A latent U-Net also gets a file of its prompt embedding, which is no weight there:
    `NAME_prompt.safetensors` beside `NAME.safetensors`.

    Args:
        workdir: folder of the run.
        path: the file to write.
        checkpoint: "latest" or "best".
        form: the form of the state dict.
        overwrite: whether to replace the file of the prompt embedding.

    Raises:
        ValueError: if PyTorch programs have no such network, or if it has a second clock; or if the
            order of attention is asked of a network with one order.
        OutputError: if the file of the prompt embedding exists.
        CheckpointError: if there is no complete checkpoint, or it cannot be read.
        WeightsFileError: if a file cannot be written.
    """
    loaded = loading.load(workdir, checkpoint)
    if loaded.method.time_sampling.num_clocks > 1:
        raise ValueError(
            f"The network in {workdir} has a clock for each component, which has no form in "
            "PyTorch; only networks of config.train.clock='tied' are exported."
        )
    state_dict = _state_dict(
        jax.device_get(loaded.weights.network), loaded.method.network, form.new_attention_order
    )
    prompt = state_dict.pop(PROMPT_EMBEDDING, None)
    prompt_path = path.with_name(f"{path.stem}_prompt{path.suffix}")
    if prompt is not None:
        outputs.check_outputs([prompt_path], overwrite=overwrite)
    named = {f"{form.prefix}{name}": array for name, array in state_dict.items()}
    files.write_state_dict(path, named)
    _logger.info("Wrote %d tensors of step %d to %s.", len(named), loaded.step, path)
    if prompt is not None:
        files.write_state_dict(prompt_path, {PROMPT_EMBEDDING: prompt})
        _logger.info(
            "Wrote the embedding of the empty prompt to %s, which import takes as "
            "--prompt_embedding.",
            prompt_path,
        )


def _state_dict(
    params: Params, network: nn.Module, new_attention_order: bool
) -> dict[str, np.ndarray]:
    kind = kind_of(network)  # Raises if it has no form in PyTorch.
    check_attention_order(network, new_attention_order)
    if kind == files.LATENT_UNET:
        return latent_unet.state_dict_from_params(params, cast(LatentUNet, network))
    return pixel_unet.state_dict_from_params(params, cast(UNet, network), new_attention_order)
