"""Table of export formats."""

import dataclasses
import pathlib
from typing import Any

from symmflow_jax.codecs.autoencoder_weights import AUTOENCODER, MASK_DECODER
from symmflow_jax.config.choices import Choice, choose
from symmflow_jax.runtime import outputs


@dataclasses.dataclass(frozen=True)
class Exporter(Choice):
    """A function that writes a run in a format.

    It takes the run's folder, the place to write, the checkpoint, a form, and whether to replace
    what exists.

    Attributes:
        ending: how the name of the file must end; empty for a format that writes a folder.
        flags: the flags of its form.
        keys: the sections and keys of the config that it uses.
    """

    ending: str = ""
    flags: tuple[str, ...] = ()
    keys: tuple[str, ...] = ("eval.checkpoint",)


EXPORTERS: dict[str, Exporter] = {
    "safetensors": Exporter(
        "symmflow_jax.inference.export.state_dict:export_weights",
        "the averaged weights, with the names that PyTorch programs use",
        ending=".safetensors",
        flags=("weights_prefix", "use_new_attention_order"),
    ),
    "stablehlo": Exporter(
        "symmflow_jax.inference.export.stablehlo:export_stablehlo",
        "programs of JAX for several platforms, which run without this package",
        flags=("functions", "platforms", "solver", "num_steps", "num_draws"),
        keys=("eval.checkpoint", "eval.tolerance", "guidance"),
    ),
    "onnx": Exporter(
        "symmflow_jax.inference.export.onnx_model:export_onnx",
        "a segmenter or classifier of one step, for onnxruntime and others",
        flags=("num_steps", "num_draws", "seed"),
    ),
}
"""The values of `--format`."""


def export(
    workdir: pathlib.Path,
    path: pathlib.Path,
    checkpoint: str = "latest",
    form: Any = None,
    *,
    format_name: str = "safetensors",
    overwrite: bool = False,
) -> None:
    """Writes a run in a format.

    Args:
        workdir: folder of the run.
        path: the file or folder to write.
        checkpoint: "latest" or "best".
        form: a `TorchForm` for weights, a `ProgramForm` for programs; None for the default.
        format_name: a name of `EXPORTERS`.
        overwrite: whether to replace a file that exists; those of the run are always kept.

    Raises:
        ValueError: if there is no such format, or if the name of the file has another ending.
        OutputError: if the file exists or cannot be written.
        ValueError, CheckpointError, WeightsFileError: as the exporter raises them.
    """
    exporter = choose(EXPORTERS, format_name, "--format")
    if exporter.ending and path.suffix != exporter.ending:
        others = [name for name, other in EXPORTERS.items() if not other.ending]
        raise ValueError(
            f"--output={path} must end in {exporter.ending}, or give --format="
            f"{' or '.join(others)}, which write a folder."
        )
    if exporter.ending:
        weights = [workdir / name for name in (AUTOENCODER, MASK_DECODER)]
        outputs.check_outputs([path], weights, overwrite=overwrite)
    given = () if form is None else (form,)
    exporter.resolve()(workdir, path, checkpoint, *given, overwrite=overwrite)
