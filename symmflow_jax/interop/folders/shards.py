"""Weights in several files: their index, and checks that all files belong together.

Shards of two trainings of one network, with equal names and dtypes, cannot be told apart.
"""

import json
import pathlib
from collections.abc import Iterable, Mapping

import jax.numpy as jnp
import numpy as np

from symmflow_jax.interop.folders.weight_file import SHARD
from symmflow_jax.interop.torch_files import WeightsFileError, read_tensors
from symmflow_jax.runtime.errors import first_line, shown, shown_value


def read_shards(index: pathlib.Path) -> dict[str, np.ndarray]:
    """All tensors of the files that an index names.

    Args:
        index: a file of JSON whose "weight_map" gives the file of each tensor, in its own folder.

    Raises:
        WeightsFileError: if the index or a file is missing or damaged; if a file lies in another
            folder; or if a file holds other tensors than the index says, or tensors of another
            dtype than the other files.
    """
    homes = _weight_map(index)
    files = sorted(set(homes.values()))
    _check_files(index, files)
    parts = {}
    for file in files:
        parts[file] = read_tensors(index.with_name(file))
        _check_names(index, file, parts[file], (n for n, home in homes.items() if home == file))
    _check_dtypes(index, parts)
    return {name: tensor for part in parts.values() for name, tensor in part.items()}


def _weight_map(index: pathlib.Path) -> dict[str, str]:
    """The file's name of each tensor."""
    try:
        homes = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        if not homes or not all(isinstance(home, str) for home in homes.values()):
            raise ValueError("its weight_map is not from names to files")
    except FileNotFoundError as error:
        raise WeightsFileError(f"There is no index of weights {index}.") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsFileError(
            f"{index} is damaged ({type(error).__name__}: {first_line(error)}); fetch it again."
        ) from error
    return homes


def _check_files(index: pathlib.Path, files: list[str]) -> None:
    """Checks that the files lie beside the index, all of them, and are shards of one number."""
    for file in files:
        # A link in the folder may lead out of it, as in the cache of the hub; a name may not.
        if "\0" in file or "\\" in file or file in ("", ".", "..") or "/" in file:
            raise WeightsFileError(
                f"{index} names the file {shown_value(file)}, which is not a name in its folder; "
                "fetch the index again from where it was published."
            )
    missing = [file for file in files if not index.with_name(file).is_file()]
    if missing:
        raise WeightsFileError(
            f"{index} names {len(files)} files, of which {len(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing: {_listed(missing)}. The download may "
            "have stopped; fetch the folder again."
        )
    counts = {match["count"] for file in files if (match := SHARD.search(file))}
    if len(counts) > 1 or counts and int(counts.pop()) != len(files):
        raise WeightsFileError(
            f"{index} names files of another number of shards: {_listed(files)}. They are of two "
            "trainings, or the index is; fetch the folder again."
        )


def _check_names(
    index: pathlib.Path, file: str, part: Mapping[str, np.ndarray], expected: Iterable[str]
) -> None:
    expected = set(expected)
    missing = [name for name in sorted(expected) if name not in part]
    surplus = [name for name in part if name not in expected]
    problems = [
        f"{what} {len(names)} such as {_listed(names)}"
        for what, names in (("without", missing), ("with surplus", surplus))
        if names
    ]
    if problems:
        raise WeightsFileError(
            f"{index.with_name(file)} holds other tensors than {index.name} says, "
            f"{' and '.join(problems)}: the files are not of one training. Fetch the folder again."
        )


def _check_dtypes(index: pathlib.Path, parts: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """Checks that no two files have only floats of different dtypes."""
    dtypes = {
        file: {a.dtype.name for a in part.values() if jnp.issubdtype(a.dtype, jnp.floating)}
        for file, part in parts.items()
    }
    (first, expected), *others = dtypes.items()
    for file, found in others:
        if found and expected and not found & expected:
            raise WeightsFileError(
                f"{index} names {shown(first)} of {', '.join(sorted(expected))} and {shown(file)} "
                f"of {', '.join(sorted(found))}: shards of two trainings or variants. Fetch the "
                "folder again."
            )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NUM_SHOWN} more" if len(names) > _NUM_SHOWN else ""
    return ", ".join(shown(name) for name in names[:_NUM_SHOWN]) + more


_NUM_SHOWN = 5
