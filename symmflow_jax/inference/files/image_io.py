"""What is common to commands on files: names of outputs, and full batches."""

import logging
import pathlib
from collections.abc import Iterator, Sequence

import numpy as np

from symmflow_jax.inference.files.inputs import some_names
from symmflow_jax.runtime import outputs
from symmflow_jax.runtime.errors import shown

_logger = logging.getLogger(__name__)

BATCH_SIZE = 16


def output_names(paths: Sequence[pathlib.Path], endings: Sequence[str]) -> list[str]:
    """A name for the outputs of each file, in the order of the files.

    It is the file's own name without its suffix if no other file has it; otherwise both are named
    after the whole file name, such as `cat_jpg` and `cat_png`.

    Args:
        paths: files of one folder.
        endings: what is added to the name of each output.
    """
    names = [(path.stem, f"{path.stem}_{path.suffix.removeprefix('.')}") for path in paths]
    chosen = outputs.distinct_names(names, endings)
    renamed = [
        f"{path.name} as {name}"
        for path, name in zip(paths, chosen, strict=True)
        if name != path.stem
    ]
    if renamed:
        _logger.info(
            "%d inputs have outputs of the same names; theirs are named after the whole file: %s.",
            len(renamed), some_names(renamed),
        )  # fmt: skip
    return chosen


def check_folder(folder: pathlib.Path, inputs: str) -> None:
    """Raises OutputError if pictures would be written among the inputs."""
    if pathlib.Path(inputs).is_dir() and folder.exists() and folder.samefile(inputs):
        raise outputs.OutputError(
            f"--output is the folder of --input ({shown(folder)}), where results would lie "
            "among the inputs. Give another --output."
        )


def batches(items: Sequence) -> Iterator[Sequence]:
    """Splits a sequence into batches of `BATCH_SIZE` items; the last one may be smaller."""
    for start in range(0, len(items), BATCH_SIZE):
        yield items[start : start + BATCH_SIZE]


def padded(array: np.ndarray) -> np.ndarray:
    """Pads a batch to `BATCH_SIZE` with its first element, so that one compilation is enough."""
    missing = BATCH_SIZE - len(array)
    return np.concatenate([array, np.repeat(array[:1], missing, axis=0)])
