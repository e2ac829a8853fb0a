"""CIFAR-10 (Krizhevsky 2009) as its author publishes it: the python or the binary version."""

import io
import pathlib
import pickle
import shlex

import numpy as np

from symmflow_jax.data.folders.listing import passed_over
from symmflow_jax.data.source import DataError, check_split
from symmflow_jax.runtime.errors import first_line, shown
from symmflow_jax.semantics import labels
from symmflow_jax.semantics.labels import LabelSchema

SCHEMA = labels.consecutive((
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
))  # fmt: skip
_SIDE, _NUM_VALUES = 32, 3 * 32 * 32
_BATCHES = {"train": [f"data_batch_{number}" for number in range(1, 6)], "test": ["test_batch"]}
_FOLDERS = ("", "cifar-10-batches-py", "cifar-10-batches-bin")

# The only classes and functions in files of the python version.
_HARMLESS = {
    (module, name)
    for module in ("numpy", "numpy.core.multiarray", "numpy._core.multiarray")
    for name in ("ndarray", "dtype", "_reconstruct")
} | {("_codecs", "encode")}


class Cifar10:
    """Images "image" uint8 `[32, 32, 3]` with "label" int32 `[]`.

    Args:
        root: folder of the batches, or its parent folder.
        split: "train" (50,000 images) or "test" (10,000).

    Attributes:
        files: the batches.

    Raises:
        DataError: if batches are missing or damaged, or hold anything besides arrays.
        ValueError: if there is no such split.
    """

    def __init__(self, root: str | pathlib.Path, split: str):
        check_split(split, tuple(_BATCHES))
        _check_unpacked(pathlib.Path(root))
        self.files = tuple(_find(pathlib.Path(root), name) for name in _BATCHES[split])
        parts = [_read(file) for file in self.files]
        pixels = np.concatenate([part[0] for part in parts])
        self._images = pixels.reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1)
        self._labels = np.concatenate([part[1] for part in parts]).astype(np.int32)

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """The ten classes of "label"."""
        return {"label": SCHEMA}

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        return {
            "image": np.ascontiguousarray(self._images[index]),
            "label": np.asarray(self._labels[index]),
        }


def _check_unpacked(root: pathlib.Path) -> None:
    """Raises DataError if the root is a file, such as the archive itself."""
    if root.is_file():
        file, folder = (shlex.quote(shown(path)) for path in (root, root.absolute().parent))
        raise DataError(
            f"{shown(root)} is a file, not a folder of batches. To read it with "
            f"--config.data.dir={folder}, unpack it: python -m tarfile -e {file} {folder}"
        )


def _find(root: pathlib.Path, name: str) -> pathlib.Path:
    for folder in _FOLDERS:
        for path in (root / folder / name, root / folder / f"{name}.bin"):
            if path.is_file():
                return path
    archives = sorted(path for path in root.glob("cifar-10-*.tar.gz") if not passed_over(path.name))
    if archives:
        _check_unpacked(archives[0])
    raise DataError(
        f"{shown(root.absolute())} has no {name} or {name}.bin. Unpack cifar-10-python.tar.gz or "
        "cifar-10-binary.tar.gz (cs.toronto.edu/~kriz) and set --config.data.dir to its folder."
    )


def _read(path: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels uint8 `[n, 3072]`, one channel after the other, and labels `[n]`."""
    if not path.is_file():  # A pipe would be waited for.
        raise DataError(f"{path} is no file; unpack the archive again.")
    content = path.read_bytes()
    pixels, classes = _binary(content) if path.suffix == ".bin" else _pickled(path, content)
    if classes.ndim != 1 or not np.issubdtype(classes.dtype, np.integer):
        raise _damaged(path)
    if pixels.ndim != 2 or pixels.shape != (len(classes), _NUM_VALUES) or not len(classes):
        raise _damaged(path)
    if pixels.dtype != np.uint8 or classes.min() < 0 or classes.max() >= SCHEMA.num_classes:
        raise _damaged(path)
    return pixels, classes


def _binary(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Splits records of a label and pixels; empty arrays for a truncated file."""
    values = np.frombuffer(content, np.uint8)
    records = values.reshape(-1, 1 + _NUM_VALUES) if len(values) % (1 + _NUM_VALUES) == 0 else None
    if records is None:
        return np.empty((0, 0), np.uint8), np.empty(0, np.uint8)
    return records[:, 1:], records[:, 0]


def _pickled(path: pathlib.Path, content: bytes) -> tuple[np.ndarray, np.ndarray]:
    try:
        batch = _ArraysOnly(io.BytesIO(content), encoding="bytes").load()
        return np.asarray(batch[b"data"]), np.asarray(batch[b"labels"])
    except _Foreign as error:
        raise DataError(
            f"{path} asks for {first_line(error)}, which no CIFAR-10 batch does; it was not "
            "opened. Unpack the archive again."
        ) from None
    except Exception as error:  # A damaged pickle raises almost anything.
        raise _damaged(path) from error


def _damaged(path: pathlib.Path) -> DataError:
    return DataError(f"{path} is damaged or no CIFAR-10 batch; unpack the archive again.")


class _Foreign(pickle.UnpicklingError):
    """A pickle that imports more than arrays need."""


class _ArraysOnly(pickle.Unpickler):
    """Loads arrays and plain values only, because a pickle can run any code."""

    def find_class(self, module: str, name: str):
        """The class of a name; raises `_Foreign` unless arrays need it."""
        if (module, name) not in _HARMLESS:
            raise _Foreign(shown(f"{module}.{name}"))
        return super().find_class(module, name)
