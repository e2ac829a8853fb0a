"""Export formats, chosen by the file name's suffix."""

import pathlib

from symmflow_jax.config.choices import Choice, listed

EXPORTERS: dict[str, Choice] = {
    ".safetensors": Choice(
        "symmflow_jax.inference.export.state_dict:export_weights",
        "the averaged weights, with the names that PyTorch programs use",
    ),
}
"""Exporters by suffix of `--output`; each takes the run's folder, the file and the checkpoint."""


def export(workdir: pathlib.Path, path: pathlib.Path, checkpoint: str = "latest") -> None:
    """Writes a run in the format of a file name's suffix.

    Args:
        workdir: folder of the run.
        path: the file to write.
        checkpoint: "latest" or "best".

    Raises:
        ValueError: if no format has this suffix.
        ValueError, CheckpointError, WeightsFileError: as the exporter raises them.
    """
    if path.suffix not in EXPORTERS:
        raise ValueError(f"--output={path} must end in {listed(EXPORTERS)}.")
    EXPORTERS[path.suffix].resolve()(workdir, path, checkpoint)
