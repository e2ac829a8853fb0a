"""Where the parts of a packed data set lie, and all access to the file system but that of records.

FOLDER/dataset.json                   the data set and its classes (`DataSet`)
FOLDER/SPLIT/index.json               a complete split (`Split`)
FOLDER/SPLIT/00000.array_record       its examples
FOLDER/SPLIT/packing.json             instead of the index, while the split is being packed
FOLDER/SPLIT/00000.json               likewise, beside each complete shard
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
from typing import Any

from symmflow_jax.data.folders.listing import passed_over
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime import files, outputs
from symmflow_jax.runtime.errors import first_line, shown

_SHARD = ".array_record"
_OF_SHARD = re.compile(r"\d{5,}\.(json|array_record)")
_PARTIAL = re.compile(r"\.[0-9a-f]{12}\.partial")
INSTEAD = "another --output"


@dataclasses.dataclass(frozen=True)
class SplitPlace:
    """The files of a split.

    Attributes:
        folder: its folder.
    """

    folder: pathlib.Path

    @property
    def index(self) -> pathlib.Path:
        """The description of a complete split."""
        return self.folder / "index.json"

    @property
    def plan(self) -> pathlib.Path:
        """The description of a split that is being packed."""
        return self.folder / "packing.json"

    def shard(self, number: int) -> pathlib.Path:
        """The examples of a shard."""
        return self.folder / f"{number:05d}{_SHARD}"

    def entry(self, number: int) -> pathlib.Path:
        """The description of a complete shard, while others are missing."""
        return self.folder / f"{number:05d}.json"

    def others(self) -> list[str]:
        """Names of what is in the folder and no part of a split, sorted."""
        own = {self.index.name, self.plan.name}
        return [
            name
            for name in _names(self.folder)
            if name not in own and not _OF_SHARD.fullmatch(name) and not passed_over(name)
        ]

    def clear(self) -> None:
        """Removes the parts of the split, and nothing else; the index first.

        Raises:
            OutputError: if the file system refuses.
        """
        for path in (self.index, self.plan):
            remove(path)
        for name in _names(self.folder):
            if _OF_SHARD.fullmatch(name) or _PARTIAL.fullmatch(name):
                remove(self.folder / name)

    def finish(self) -> None:
        """Removes what is needed only while the split is being packed."""
        for name in _names(self.folder):
            of_shard = _OF_SHARD.fullmatch(name)
            if (of_shard and of_shard[1] == "json") or _PARTIAL.fullmatch(name):
                remove(self.folder / name)
        remove(self.plan)


@dataclasses.dataclass(frozen=True)
class Place:
    """The files of a packed data set.

    Attributes:
        folder: its folder.
    """

    folder: pathlib.Path

    @property
    def dataset(self) -> pathlib.Path:
        """The description of the data set."""
        return self.folder / "dataset.json"

    @property
    def lock(self) -> pathlib.Path:
        """A file that is locked by the process that packs."""
        return self.folder / ".packing.lock"

    def split(self, name: str) -> SplitPlace:
        """The place of a split, whose name may have any letters."""
        return SplitPlace(self.folder / outputs.file_name(name))

    def splits(self) -> list[SplitPlace]:
        """The places of the splits that are there, complete or not."""
        found = [SplitPlace(self.folder / name) for name in _names(self.folder)]
        return [place for place in found if place.index.is_file() or place.plan.is_file()]

    def others(self) -> list[str]:
        """Names of what is in the folder and no part of a packed data set, sorted."""
        own = {self.dataset.name, *(place.folder.name for place in self.splits())}
        names = [name for name in _names(self.folder) if name not in own and not passed_over(name)]
        # A folder that an interrupted command has made.
        return [name for name in names if not _is_empty_folder(self.folder / name)]


def read_json(path: pathlib.Path, remedy: str) -> Any:
    """The value of a JSON file.

    Raises:
        DataError: if it cannot be read or is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise DataError(f"{shown(path)} cannot be read ({reason}). {remedy}") from error


def write_json(path: pathlib.Path, value: Any) -> None:
    """Writes a value as JSON, atomically; raises OutputError if the file system refuses."""
    with outputs.writing_text(path, INSTEAD) as file:
        file.write(files.as_json(value, indent=1) + "\n")


def size_of(path: pathlib.Path) -> int | None:
    """The bytes of a file, or None if there is no such file."""
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def keep(partial: pathlib.Path, path: pathlib.Path) -> None:
    """Gives a written file its name, when its content is on the disk; raises OSError."""
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(path)


def remove(path: pathlib.Path) -> None:
    """Removes a file that may be missing; raises OutputError if the file system refuses."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise outputs.OutputError(
            f"{path} could not be removed: {error.strerror}. Remove it, or give {INSTEAD}."
        ) from error


def _names(folder: pathlib.Path) -> list[str]:
    """The names of what is in a folder, sorted; empty if there is no such folder."""
    try:
        return sorted(path.name for path in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DataError(f"{shown(folder)} cannot be read: {error.strerror}.") from error


def _is_empty_folder(path: pathlib.Path) -> bool:
    with contextlib.suppress(OSError):
        return path.is_dir() and not any(path.iterdir())
    return False
