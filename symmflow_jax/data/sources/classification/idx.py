"""IDX files, the format of MNIST and of similar data sets."""

import gzip
import math
import pathlib
import zlib

import numpy as np

from symmflow_jax.data import source
from symmflow_jax.data.source import DataError
from symmflow_jax.semantics.labels import LabelSchema

_GZIP_MAGIC = b"\x1f\x8b"
_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_PREFIXES = {"train": "train", "test": "t10k"}


USUAL_CLASSES = source.numbered_classes(10)
"""The classes of MNIST and of most data sets in its format."""


class Idx:
    """Grey images "image" uint8 `[height, width, 1]` with "label" int32 `[]`.

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
        images_path = _find(pathlib.Path(folder), split, "images-idx3-ubyte")
        labels_path = _find(pathlib.Path(folder), split, "labels-idx1-ubyte")
        self._images = read_idx(images_path)
        labels = read_idx(labels_path)
        _check(images_path, self._images, labels_path, labels)
        self._labels = labels.astype(np.int32)
        self.files = (images_path, labels_path)

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """The classes of "label", named by their numbers."""
        return {"label": source.numbered_classes(int(self._labels.max()) + 1)}

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        return {"image": self._images[index, ..., None], "label": np.asarray(self._labels[index])}


def read_idx(path: str | pathlib.Path) -> np.ndarray:
    """Reads the array of an IDX file, in native byte order.

    Args:
        path: the file, plain or gzipped; its content decides, not its name.

    Raises:
        DataError: if the file cannot be read, is no IDX file, or its length contradicts its
            header.
    """
    content = _read(pathlib.Path(path))
    if len(content) < 4:
        raise _damaged(path, f"it ends after {len(content)} bytes")
    if content[:2] != b"\0\0" or content[2] not in _DTYPES:
        raise DataError(f"{path} is not an IDX file: it begins with the bytes {content[:4].hex()}.")
    dtype, start = np.dtype(_DTYPES[content[2]]), 4 + 4 * content[3]
    if len(content) < start:
        raise _damaged(path, f"it ends within its header, after {len(content)} bytes")
    shape = tuple(int(side) for side in np.frombuffer(content[4:start], ">u4"))
    expected = start + dtype.itemsize * math.prod(shape)
    if len(content) != expected:
        raise _damaged(
            path, f"it has {len(content)} bytes where its shape {shape} asks for {expected}"
        )
    array = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return array.astype(dtype.newbyteorder("="))


def _read(path: pathlib.Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(_GZIP_MAGIC) else content
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(path, f"its gzip stream cannot be read ({error})") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error


def _find(folder: pathlib.Path, split: str, kind: str) -> pathlib.Path:
    """The file of one kind, under the first of its usual names that exists."""
    stem = f"{_PREFIXES[split]}-{kind}"
    dotted = stem.replace("-idx", ".idx")
    names = (stem, f"{stem}.gz", dotted, f"{dotted}.gz")
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise DataError(
        f"No {' or '.join(names)} in {folder.absolute()}. Point --config.data.dir to a folder with "
        "the four files of the MNIST database (or of a set in its format, such as "
        "Fashion-MNIST), gzipped or not; or take a set prepared by TensorFlow Datasets with "
        "--config.data.source=tfds --config.data.name=mnist."
    )


def _check(
    images_path: pathlib.Path, images: np.ndarray, labels_path: pathlib.Path, labels: np.ndarray
) -> None:
    if images.ndim != 3 or images.dtype != np.uint8:
        raise DataError(
            f"{images_path} holds {images.dtype} of shape {images.shape}; "
            "8-bit images [n, height, width] are needed."
        )
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer) or np.any(labels < 0):
        raise DataError(
            f"{labels_path} holds {labels.dtype} of shape {labels.shape}; "
            "class numbers [n] from 0 are needed."
        )
    if len(images) != len(labels) or not len(labels):
        raise DataError(
            f"{images_path} has {len(images)} images and {labels_path} {len(labels)} labels; "
            "take both from the same set."
        )


def _damaged(path: str | pathlib.Path, what: str) -> DataError:
    return DataError(f"{path} is damaged: {what}. Fetch the file again.")
