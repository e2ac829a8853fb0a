"""Export formats, chosen by the file name's suffix."""

import pathlib

from symmflow_jax.codecs.autoencoder_weights import AUTOENCODER, MASK_DECODER
from symmflow_jax.config.choices import Choice, listed
from symmflow_jax.interop.names.torch_form import PLAIN_FORM, TorchForm
from symmflow_jax.runtime import outputs

EXPORTERS: dict[str, Choice] = {
    ".safetensors": Choice(
        "symmflow_jax.inference.export.state_dict:export_weights",
        "the averaged weights, with the names that PyTorch programs use",
    ),
}
"""Exporters by suffix of `--output`.

Each takes the run's folder, the file, the checkpoint, a `TorchForm`, and whether to replace files
that it writes beside."""


def export(
    workdir: pathlib.Path,
    path: pathlib.Path,
    checkpoint: str = "latest",
    form: TorchForm = PLAIN_FORM,
    *,
    overwrite: bool = False,
) -> None:
    """Writes a run in the format of a file name's suffix.

    Args:
        workdir: folder of the run.
        path: the file to write.
        checkpoint: "latest" or "best".
        form: the form of the state dict.
        overwrite: whether to replace a file that exists; those of the run are always kept.

    Raises:
        ValueError: if no format has this suffix.
        OutputError: if the file exists or cannot be written.
        ValueError, CheckpointError, WeightsFileError: as the exporter raises them.
    """
    if path.suffix not in EXPORTERS:
        raise ValueError(f"--output={path} must end in {listed(EXPORTERS)}.")
    weights = [workdir / name for name in (AUTOENCODER, MASK_DECODER)]
    outputs.check_outputs([path], weights, overwrite=overwrite)
    EXPORTERS[path.suffix].resolve()(workdir, path, checkpoint, form, overwrite=overwrite)
