"""The folder of an export: its files, and `export.json`, which tells what they are."""

import json
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from symmflow_jax.runtime import files, outputs
from symmflow_jax.runtime.errors import shown
from symmflow_jax.runtime.outputs import OutputError

DESCRIPTION = "export.json"
"""The description, which is written last: without it an export is not complete."""


def check(folder: pathlib.Path, *, overwrite: bool = False) -> None:
    """Checks that a folder can take an export; changes nothing.

    Raises:
        OutputError: if it holds another export, is a file, or cannot be written.
    """
    if folder.is_file():
        raise OutputError(
            f"{shown(folder)} is a file, but an export is a folder. Give another --output."
        )
    if (folder / DESCRIPTION).exists() and not overwrite:
        raise OutputError(
            f"{shown(folder)} holds another export ({shown(folder / DESCRIPTION)}). Give "
            "--overwrite to replace it, or another --output."
        )
    outputs.check_writable(folder)


def write(
    folder: pathlib.Path,
    contents: Mapping[str, bytes | Mapping[str, Any]],
    description: Mapping[str, Any],
    *,
    overwrite: bool = False,
) -> None:
    """Writes the files of an export, and at last its description with their names and sizes.

    Of an earlier export, files that the new one does not have are removed.

    Args:
        folder: the folder.
        contents: by name, the bytes of a file, or the arrays of an `.npz` file.
        description: what `export.json` says beside the names and sizes of the files.
        overwrite: whether to replace files that exist.

    Raises:
        OutputError: if a file exists or cannot be written.
    """
    check(folder, overwrite=overwrite)
    names = [*contents, DESCRIPTION]
    outputs.check_outputs([folder / name for name in names], overwrite=overwrite)
    _remove(folder, set(_earlier(folder)) - set(names))
    for name, content in contents.items():
        with outputs.writing(folder / name) as file:
            if isinstance(content, bytes):
                file.write(content)
            else:
                np.savez(file, **content)  # Not compressed: weights hardly shrink.
    sizes = {name: (folder / name).stat().st_size for name in contents}
    files.write_json(folder / DESCRIPTION, dict(description) | {"files": sizes})


def _earlier(folder: pathlib.Path) -> list[str]:
    """The names of the files of an export that a folder holds."""
    try:
        found = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, LookupError, TypeError):
        return []
    return [name for name in found if isinstance(name, str) and pathlib.Path(name).name == name]


def _remove(folder: pathlib.Path, names: Iterable[str]) -> None:
    # The description goes first, so that a half-replaced export is none.
    for name in (DESCRIPTION, *names):
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(outputs.refusal(folder / name, error)) from error
