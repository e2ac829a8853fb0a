"""NumPy archives in the layout of MedMNIST: `train_images`, `train_labels`, `val_images`, ..."""

import pathlib
import zipfile
import zlib

import numpy as np

from symmflow_jax.data import source
from symmflow_jax.data.source import DataError
from symmflow_jax.semantics.labels import LabelSchema


class Npz:
    """Images "image" uint8 `[height, width, 1 or 3]` with "label" int32 `[]`.

    An archive with float arrays `[count, n]` gives points, "image" float32 `[n]`.

    Args:
        path: the archive, or a folder with exactly one.
        split: prefix of the archive's keys, such as "train", "val" or "test".

    Attributes:
        files: the archive.

    Raises:
        DataError: if the archive is missing, ambiguous or damaged, lacks the split, or does
            not hold 8-bit images, or points, with one class each.
    """

    def __init__(self, path: str | pathlib.Path, split: str):
        path = _find(pathlib.Path(path))
        self.files = (path,)
        arrays = _read(path, split)
        self._images = _pictures(path, f"{split}_images", arrays)
        self._labels = _classes(path, f"{split}_labels", arrays)
        if len(self._images) != len(self._labels) or not len(self._labels):
            raise DataError(
                f"{path} has {len(self._images)} {split}_images and {len(self._labels)} "
                f"{split}_labels; there must be as many, and some."
            )
        # The classes of all splits, because a small split may lack the last class.
        keys = [key for key in arrays if key.endswith("_labels")]
        self._num_classes = 1 + max(int(_classes(path, key, arrays).max(initial=0)) for key in keys)

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """The classes of "label", named by their numbers."""
        return {"label": source.numbered_classes(self._num_classes)}

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        return {"image": self._images[index], "label": np.asarray(self._labels[index])}


def _find(path: pathlib.Path) -> pathlib.Path:
    """The archive itself, or the only one of a folder."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise DataError(
            f"{path.absolute()} does not exist. Point --config.data.dir to an .npz file, such as "
            "pathmnist.npz of MedMNIST (medmnist.com), or to its folder."
        )
    archives = sorted(path.glob("*.npz"))
    if len(archives) != 1:
        names = ", ".join(archive.name for archive in archives) or "none"
        raise DataError(
            f"{path.absolute()} must contain exactly one .npz file, but has {names}. Point "
            "--config.data.dir to the file itself."
        )
    return archives[0]


def _read(path: pathlib.Path, split: str) -> dict[str, np.ndarray]:
    """The arrays of one split, and the labels of all of them."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            keys = archive.files
            wanted = [key for key in keys if key == f"{split}_images" or key.endswith("_labels")]
            arrays = {key: archive[key] for key in wanted}
    except (ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"{path} is no readable archive of plain arrays ({error}). Fetch the file again."
        ) from error
    missing = [key for key in (f"{split}_images", f"{split}_labels") if key not in arrays]
    if missing:
        raise DataError(
            f"{path} lacks {' and '.join(missing)}; it has {', '.join(keys) or 'no arrays'}."
        )
    return arrays


def _pictures(path: pathlib.Path, key: str, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """uint8 `[count, height, width, 1 or 3]`, or float32 points `[count, n]`."""
    images = arrays[key]
    if images.ndim == 2 and np.issubdtype(images.dtype, np.floating):
        return images.astype(np.float32)
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or images.dtype != np.uint8:
        raise DataError(
            f"{path}: {key} is {images.dtype} of shape {arrays[key].shape}; 8-bit images "
            "[n, height, width] or [n, height, width, 3] are needed."
        )
    return images


def _classes(path: pathlib.Path, key: str, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Class numbers, int32 `[n]`."""
    labels = arrays[key]
    if labels.ndim == 2 and labels.shape[1] > 1:
        raise DataError(
            f"{path}: {key} has {labels.shape[1]} labels for each image; a multi-label set "
            "cannot be learnt, only one class for each image."
        )
    integers = np.issubdtype(labels.dtype, np.integer)
    if labels.ndim not in (1, 2) or not integers or np.any(labels < 0):
        raise DataError(
            f"{path}: {key} is {labels.dtype} of shape {labels.shape}; class numbers [n] or "
            "[n, 1] from 0 are needed."
        )
    return labels.reshape(-1).astype(np.int32)
