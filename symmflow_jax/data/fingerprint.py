"""Fingerprints of data: what a split was made of, to tell whether it is still the same.

Two sets of files differ even if they lie under one path. A run remembers the fingerprint of its
data, and everything that is derived from data and kept on disk is filed under a digest.
"""

import concurrent.futures
import dataclasses
import hashlib
import os
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from symmflow_jax.data.source import DataError, Source
from symmflow_jax.runtime.files import sha256
from symmflow_jax.runtime.storage.place import is_remote

_MOST_SIZES = 4096  # Each size is a request, which takes long on network file systems.
_MOST_CONTENTS = 64
_PART = 1 << 16  # Bytes at either end of a file.
_NUM_THREADS = 8


@dataclasses.dataclass(frozen=True)
class Fingerprint:
    """What a split was made of.

    Attributes:
        folder: the common folder of the files; empty for a drawn source.
        num_examples: number of examples.
        num_files: number of files.
        digest: digest of the files' names within the folder, of their sizes and of a sample of
            their contents, 16 hexadecimal digits. It does not depend on the folder.
    """

    folder: str
    num_examples: int
    num_files: int
    digest: str

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain values for `from_json`."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Fingerprint":
        """The fingerprint of a dictionary from `to_json`."""
        return cls(**values)


def fingerprint(source: Source) -> Fingerprint:
    """The fingerprint of a source.

    It takes seconds for 100,000 files: it looks at all names, but at no more than 4,096 sizes and
    at both ends of no more than 64 files, which are spread evenly.

    Raises:
        DataError: if a file cannot be read.
    """
    files = files_of(source)
    folder = _common_folder(files)
    lines = [f"{len(source)} {len(files)}", *(_name(file, folder) for file in files)]
    sample = _spread(files, _MOST_SIZES)
    lines += [str(_readable(_size, file)) for file in sample]
    lines += [_readable(_ends_digest, file) for file in _spread(files, _MOST_CONTENTS)]
    return Fingerprint(str(folder), len(source), len(files), _digest(lines))


def joined(found: Sequence[Fingerprint]) -> Fingerprint:
    """The fingerprint of several sources together, in the folder of the first one."""
    return Fingerprint(
        found[0].folder,
        sum(one.num_examples for one in found),
        sum(one.num_files for one in found),
        _digest([one.digest for one in found]),
    )


def content_digest(source: Source) -> str:
    """Digest of the names and the whole content of a source's files, 16 hexadecimal digits.

    It reads all files, so it is meant for derived values whose making reads them too. It is equal
    wherever the files lie. All drawn sources of one length have the same digest; their other
    settings tell them apart.

    Raises:
        DataError: if a file cannot be read.
    """
    files = files_of(source)
    folder = _common_folder(files)
    with concurrent.futures.ThreadPoolExecutor(_NUM_THREADS) as pool:
        digests = pool.map(lambda file: _readable(sha256, file), files)
        contents = [
            f"{_name(file, folder)} {one}" for file, one in zip(files, digests, strict=True)
        ]
    return _digest([str(len(source)), *contents])


def files_of(source: Source) -> tuple[pathlib.Path, ...]:
    """The files that a source reads, in its order; empty for a source without `files`."""
    return tuple(getattr(source, "files", ()))


def _common_folder(files: Sequence[pathlib.Path]) -> pathlib.Path | str:
    if not files:
        return ""
    if is_remote(files[0]):
        shared = set.intersection(*(set(file.parents) for file in files))
        return max(shared, key=lambda folder: len(folder.parts))
    return pathlib.Path(os.path.commonpath([file.absolute().parent for file in files]))


def _name(file: pathlib.Path, folder: pathlib.Path | str) -> str:
    return file.absolute().relative_to(folder).as_posix()


def _spread(files: Sequence[pathlib.Path], most: int) -> list[pathlib.Path]:
    """At most `most` files at equal distances, with the first and the last one."""
    if len(files) <= most:
        return list(files)
    return [files[i] for i in np.linspace(0, len(files) - 1, most).round().astype(int)]


def _size(file: pathlib.Path) -> int:
    return file.stat().st_size


def _ends_digest(file: pathlib.Path) -> str:
    """Digest of the first and the last bytes of a file."""
    if is_remote(file):
        size = _size(file)
        start = file.read_range(0, min(_PART, size))
        return hashlib.sha256(start + file.read_range(max(0, size - _PART), size)).hexdigest()
    with file.open("rb") as stream:
        start = stream.read(_PART)
        stream.seek(max(0, _size(file) - _PART))
        return hashlib.sha256(start + stream.read(_PART)).hexdigest()


def _readable(function: Any, file: pathlib.Path) -> Any:
    """The function of a file; raises DataError if the file system refuses."""
    try:
        return function(file)
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}.") from error


def _digest(lines: Iterable[str]) -> str:
    # Names that are no valid Unicode are digested as their bytes.
    text = "\0".join(lines).encode(errors="surrogateescape")
    return hashlib.sha256(text).hexdigest()[:16]
