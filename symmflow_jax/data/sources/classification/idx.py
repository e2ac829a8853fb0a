"""IDX files, the format of MNIST and of similar data sets."""

import gzip
import itertools
import math
import pathlib
import shlex
import zlib
from typing import IO

import numpy as np

from symmflow_jax.data import source
from symmflow_jax.data.folders.listing import walk
from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.classification.arrays import conversion
from symmflow_jax.data.sources.classification.arrays.conversion import Archive, Split
from symmflow_jax.data.sources.classification.arrays.labelled_arrays import LabelledArrays
from symmflow_jax.runtime.errors import first_line, shown
from symmflow_jax.runtime.files import as_json

_GZIP_MAGIC = b"\x1f\x8b"
_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_PREFIXES = {"train": "train", "test": "t10k"}
_MOST_SEEN = 10_000  # Files among which a missing one is sought.
_KINDS = ("images-idx3-ubyte", "labels-idx1-ubyte")


USUAL_CLASSES = source.numbered_classes(10)
"""The classes of MNIST and of most data sets in its format."""


class Idx(LabelledArrays):
    """Images "image" uint8 `[height, width, 1 or 3]` with "label" int32 `[]`.

    Args:
        folder: folder of the four files, such as `train-images-idx3-ubyte.gz` or
            `t10k-labels.idx1-ubyte`, gzipped or not.
        split: "train" or "test".

    Attributes:
        files: the files of images and labels.

    Raises:
        DataError: if a file is missing or damaged, or if images and labels do not match.
        ValueError: if there is no such split.
    """

    def __init__(self, folder: str | pathlib.Path, split: str):
        source.check_split(split, tuple(_PREFIXES))
        images_path, labels_path = (_find(pathlib.Path(folder), split, kind) for kind in _KINDS)
        images, labels = read_idx(images_path), read_idx(labels_path)
        _check(pathlib.Path(folder), split, images_path, images, labels_path, labels)
        super().__init__((images_path, labels_path), images, labels.reshape(-1))


def read_idx(path: str | pathlib.Path) -> np.ndarray:
    """Reads the array of an IDX file, in native byte order.

    Args:
        path: the file, plain or gzipped; its content decides, not its name.

    Raises:
        DataError: if the file cannot be read, is no IDX file, or its length contradicts its
            header.
    """
    path = pathlib.Path(path)
    try:
        with path.open("rb") as file:
            is_packed = file.read(2) == _GZIP_MAGIC
        with gzip.open(path, "rb") if is_packed else path.open("rb") as file:
            dtype, shape = _read_header(path, file)  # type: ignore[arg-type]
            size = dtype.itemsize * math.prod(shape)
            # No more than a byte beyond: a damaged stream may unpack to anything.
            content = file.read(size + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(path, f"its gzip stream cannot be read ({first_line(error)})") from error
    except (MemoryError, OverflowError) as error:
        raise _damaged(path, f"its shape is {shape}") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) != size:
        more = "more" if len(content) > size else f"{len(content)}"
        raise _damaged(path, f"its shape {shape} asks for {size} bytes, but it has {more}")
    try:
        array = np.frombuffer(content, dtype).reshape(shape)
    except ValueError as error:  # NumPy has no arrays of so many dimensions.
        raise _damaged(path, f"its shape is {shape}") from error
    return array.astype(dtype.newbyteorder("="))


def _read_header(path: pathlib.Path, file: IO[bytes]) -> tuple[np.dtype, tuple[int, ...]]:
    """Dtype and shape of the array that follows in an open file."""
    start = file.read(4)
    if len(start) < 4:
        raise _damaged(path, f"it ends after {len(start)} bytes")
    if start[:2] != b"\0\0" or start[2] not in _DTYPES:
        raise DataError(f"{path} is not an IDX file: it begins with the bytes {start.hex()}.")
    sides = file.read(4 * start[3])
    if len(sides) < 4 * start[3]:
        raise _damaged(path, f"it ends within its header, after {4 + len(sides)} bytes")
    shape = tuple(int(side) for side in np.frombuffer(sides, ">u4"))
    return np.dtype(_DTYPES[start[2]]), shape


def _find(folder: pathlib.Path, split: str, kind: str) -> pathlib.Path:
    """The file of one kind, under the first of its usual names that exists."""
    names = _usual_names(split, kind)
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise DataError(
        f"No {' or '.join(names)} in {shown(folder.absolute())}. {_nearby(folder, names)}Point "
        "--config.data.dir to a folder with "
        "the four files of the MNIST database (or of a set in its format, such as "
        "Fashion-MNIST), gzipped or not; or take a set prepared by TensorFlow Datasets with "
        "--config.data.source=tfds --config.data.name=mnist."
    )


def _usual_names(split: str, kind: str) -> tuple[str, ...]:
    stem = f"{_PREFIXES[split]}-{kind}"
    dotted = stem.replace("-idx", ".idx")
    return stem, f"{stem}.gz", dotted, f"{dotted}.gz"


def _nearby(folder: pathlib.Path, names: tuple[str, ...]) -> str:
    """A sentence on a file of another suffix or in a sub-folder that is probably meant."""
    for path in itertools.islice(walk(folder, strict=False), _MOST_SEEN):
        if path.name in names:
            return f"It is in {shown(path.parent)}: --config.data.dir={shown(path.parent)}. "
        if path.name.lower().startswith(names):
            return f"{shown(path)} is probably it: {_mend_name(path, names)}. "
    return ""


def _mend_name(path: pathlib.Path, names: tuple[str, ...]) -> str:
    if path.suffix.lower() in (".zip", ".bz2", ".xz", ".7z", ".tar"):
        return "unpack it"
    return f"rename it to {names[0]}, gzipped or not"


def _check(
    folder: pathlib.Path,
    split: str,
    images_path: pathlib.Path,
    images: np.ndarray,
    labels_path: pathlib.Path,
    labels: np.ndarray,
) -> None:
    if images.ndim == 1 and labels.ndim >= 3:
        a, b = shlex.quote(shown(images_path)), shlex.quote(shown(labels_path))
        raise DataError(
            f"{shown(images_path)} holds labels and {shown(labels_path)} images. Exchange their "
            f"names: mv {a} {a}.tmp && mv {b} {a} && mv {a}.tmp {b}"
        )
    chosen = Split(split, images_path.name, labels_path.name)
    arrays = {chosen.images: images, chosen.labels: labels}
    if any(Archive(folder, arrays, [chosen]).faults_of(chosen)):
        raise DataError(conversion.refusal(_both_splits(folder, chosen), chosen))
    if len(images) != len(labels) or not len(labels):
        raise DataError(
            f"{shown(images_path)} has {len(images)} images and {shown(labels_path)} "
            f"{len(labels)} labels; take both from the same set."
        )


def _both_splits(folder: pathlib.Path, chosen: Split) -> Archive:
    """The arrays of all splits that can be read, for their conversion."""
    arrays: dict[str, np.ndarray] = {}
    splits = []
    for name in (chosen.name, *(name for name in _PREFIXES if name != chosen.name)):
        try:
            paths = [_find(folder, name, kind) for kind in _KINDS]
            arrays |= {path.name: read_idx(path) for path in paths}
        except DataError:
            continue  # The conversion is of the other split alone.
        splits.append(Split(name, paths[0].name, paths[1].name))
    files = ", ".join(
        f"{as_json(name)}: read_idx({as_json(str(folder.absolute() / name))})" for name in arrays
    )
    load = f"from {__name__} import read_idx; a = {{{files}}}"
    return Archive(folder.absolute(), arrays, splits, load)


def _damaged(path: str | pathlib.Path, what: str) -> DataError:
    return DataError(f"{path} is damaged: {what}. Fetch the file again.")
