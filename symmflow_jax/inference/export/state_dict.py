"""Export of a run's weights with the parameter names of PyTorch programs (`--mode=export`)."""

import logging
import pathlib

import jax

from symmflow_jax.inference import model
from symmflow_jax.interop import files
from symmflow_jax.interop.kinds import kind_of
from symmflow_jax.interop.names import latent_unet, pixel_unet

_logger = logging.getLogger(__name__)


def export_weights(workdir: pathlib.Path, path: pathlib.Path, checkpoint: str = "latest") -> None:
    """Writes the averaged weights of a run as `.safetensors`, with PyTorch's parameter names.

    Args:
        workdir: folder of the run.
        path: the file to write.
        checkpoint: "latest" or "best".

    Raises:
        ValueError: if PyTorch programs have no such network, or if it has a second clock.
        CheckpointError: if there is no complete checkpoint, or it cannot be read.
        WeightsFileError: if the file cannot be written.
    """
    loaded = model.load(workdir, checkpoint)
    if loaded.method.time_sampling.num_clocks > 1:
        raise ValueError(
            f"The network in {workdir} has a clock for each component, which has no form in "
            "PyTorch; only networks of config.train.clock='tied' are exported."
        )
    form = {files.LATENT_UNET: latent_unet, files.PIXEL_UNET: pixel_unet}
    network = loaded.method.network
    state_dict = form[kind_of(network)].state_dict_from_params(
        jax.device_get(loaded.weights.network), network
    )
    files.write_state_dict(path, state_dict)
    _logger.info("Wrote %d tensors of step %d to %s.", len(state_dict), loaded.step, path)
