"""Formats of export, by the ending of the file."""

import pathlib

from symmflow_jax.config.choices import Choice, listed

EXPORTERS: dict[str, Choice] = {
    ".safetensors": Choice(
        "symmflow_jax.inference.export.state_dict:export_weights",
        "the averaged weights, with the names that PyTorch programs use",
    ),
}
"""By the ending of `--output`; an exporter takes the run's folder, the file and the checkpoint."""


def export(workdir: pathlib.Path, path: pathlib.Path, checkpoint: str = "latest") -> None:
    """Writes a run in the format that the ending of a file stands for.

    Args:
        workdir: folder of the run.
        path: the file to write.
        checkpoint: "latest" or "best".

    Raises:
        ValueError: if no format has this ending; and as the exporter.
    """
    if path.suffix not in EXPORTERS:
        raise ValueError(f"--output={path} must end in {listed(EXPORTERS)}.")
    EXPORTERS[path.suffix].resolve()(workdir, path, checkpoint)
