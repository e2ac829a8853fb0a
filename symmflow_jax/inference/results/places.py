"""Where results are saved to."""

import os
import pathlib
from collections.abc import Sequence

from symmflow_jax.runtime import outputs, paths
from symmflow_jax.runtime.errors import shown
from symmflow_jax.runtime.outputs import OutputError
from symmflow_jax.runtime.storage import place


def output_path(
    path: str | os.PathLike, suffixes: tuple[str, ...], read: pathlib.Path | None = None
) -> pathlib.Path:
    """The path of a file to write, on a disk or in a bucket.

    Args:
        path: as a user gives it; `~` and `$VARIABLES` are expanded.
        suffixes: the endings that it may have.
        read: a file that must not be replaced.

    Raises:
        OutputError: if it has another ending, is a folder, or is the file that was read.
    """
    file = place.place(paths.expand(os.fspath(path), "The path"), "The path")
    if file.suffix.lower() not in suffixes:
        raise OutputError(
            f"{shown(file)} ends in {shown(file.suffix or file.name)!r}; give a file that ends in "
            f"{' or '.join(suffixes)}."
        )
    outputs.check_outputs(
        [file], [] if read is None else [read], overwrite=True, instead="another path"
    )
    return file


def output_paths(
    folder: str | os.PathLike, names: Sequence[str], suffix: str
) -> list[pathlib.Path]:
    """Distinct files of a folder for several outputs.

    Args:
        folder: as a user gives it.
        names: names of the files that they were made of; two of one stem are told apart.
        suffix: their ending.
    """
    root = place.place(paths.expand(os.fspath(folder), "The folder"), "The folder")
    stems = [(pathlib.PurePath(name).stem, name.replace(".", "_")) for name in names]
    return [root / f"{name}{suffix}" for name in outputs.distinct_names(stems, [suffix])]
