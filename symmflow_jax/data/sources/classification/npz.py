"""NumPy archives in the layout of MedMNIST: `train_images`, `train_labels`, `val_images`, ..."""

import math
import pathlib
import typing
import zipfile
import zlib
from collections.abc import Iterable, Sequence

import numpy as np

from symmflow_jax.data.folders.listing import passed_over
from symmflow_jax.data.mixing.array_images import split_known, without_labels
from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.classification.arrays import conversion
from symmflow_jax.data.sources.classification.arrays.conversion import Archive, Split
from symmflow_jax.data.sources.classification.arrays.labelled_arrays import LabelledArrays
from symmflow_jax.runtime import files
from symmflow_jax.runtime.errors import first_line, shown

_IMAGES, _LABELS = "images", "labels"
# Other names of images and labels, in lower case, as Keras, scikit-learn and others write them.
_IMAGE_WORDS = (_IMAGES, "image", "imgs", "x", "data")
_LABEL_WORDS = (_LABELS, "label", "y", "target", "targets", "masks", "mask")
_UNREADABLE = (
    ValueError, TypeError, OSError, EOFError, KeyError, IndexError, RuntimeError, SyntaxError,
    MemoryError, OverflowError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


class Npz(LabelledArrays):
    """Images "image" uint8 `[height, width, 1 or 3]` with "label" int32 `[]`.

    An archive with float arrays `[count, n]` gives points, "image" float32 `[n]`.

    Args:
        path: the archive, or a folder with exactly one.
        split: prefix of the archive's keys, such as "train", "val" or "test". If an archive has no
            such keys, but the names of Keras (`x_train`, `y_train`) or alike, those are read.
        keeps_unlabelled: whether labels of -1 are kept apart, instead of refused.

    Attributes:
        files: the archive.
        incomplete: the examples with the label -1 that are kept; None without any.
        notes: sentences on keys of other names, if such are read, and on dark images.

    Raises:
        DataError: if the archive is missing, ambiguous or damaged, lacks the split, or does
            not hold 8-bit images, or points, with one class each.
    """

    def __init__(self, path: str | pathlib.Path, split: str, keeps_unlabelled: bool = False):
        path = _find(pathlib.Path(path))
        keys = _keys(path)
        chosen = _split(path, keys, split)
        arrays = _read(path, (chosen.images, chosen.labels))
        images, labels = arrays[chosen.images], arrays[chosen.labels]
        known, labels = split_known(path, labels, images, keeps_unlabelled)
        arrays[chosen.labels] = labels
        if any(Archive(path, arrays, [chosen]).faults_of(chosen)):
            raise DataError(conversion.refusal(_whole_archive(path, keys, chosen), chosen))
        if len(images) != len(labels) or not len(labels):
            raise DataError(
                f"{shown(path)} has {len(images)} {chosen.images} and {len(labels)} "
                f"{chosen.labels}; there must be as many, and some."
            )
        super().__init__((path,), images[known], labels.reshape(-1)[known])
        self.incomplete = without_labels(path, images, known)
        usual = (f"{split}_{_IMAGES}", f"{split}_{_LABELS}")
        if (chosen.images, chosen.labels) != usual:
            self.notes += (
                f"{shown(path)}: {chosen.images} and {chosen.labels} are read as {usual[0]} and "
                f"{usual[1]}.",
            )


def _find(path: pathlib.Path) -> pathlib.Path:
    """The archive itself, or the only one of a folder."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise DataError(
            f"{shown(path.absolute())} does not exist. Point --config.data.dir to an .npz file, "
            "such as pathmnist.npz of MedMNIST (medmnist.com), or to its folder."
        )
    archives = sorted(
        file
        for file in path.iterdir()
        if file.suffix.lower() == ".npz" and not passed_over(file.name)
    )
    if len(archives) != 1:
        names = ", ".join(shown(archive.name) for archive in archives) or "none"
        raise DataError(
            f"{shown(path.absolute())} must contain exactly one .npz file, but has {names}. Point "
            "--config.data.dir to the file itself."
        )
    if files.waits(archives[0]):
        raise DataError(f"{shown(archives[0])} is no plain file; copy the archive again.")
    return archives[0]


def _keys(path: pathlib.Path) -> list[str]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return list(archive.files)
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def _read(path: pathlib.Path, keys: Iterable[str]) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            for key in keys:
                _check_member(archive, key)
            return {key: archive[key] for key in keys}
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def _check_member(archive: np.lib.npyio.NpzFile, key: str) -> None:
    """Raises ValueError for a member that is no array, or is not as long as its header says.

    NumPy would unpack the whole of it, whatever its length.
    """
    members = typing.cast(zipfile.ZipFile, archive.zip)
    name = key if key in members.namelist() else f"{key}.npy"
    with members.open(name, "r") as file:
        version = np.lib.format.read_magic(file)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read_header is None:
            return
        shape, _, dtype = read_header(file)
        start = file.tell()
    needed = math.prod(shape) * dtype.itemsize
    if not dtype.hasobject and needed != members.getinfo(name).file_size - start:
        raise ValueError(f"{key} should have {needed} bytes, but it has another number")


def _unreadable(path: pathlib.Path, error: BaseException) -> DataError:
    reason = first_line(error)
    is_pickled = "allow_pickle" in reason
    remedy = conversion.unpickling_line(path) if is_pickled else "Fetch the file again."
    return DataError(f"{shown(path)} is no readable archive of plain arrays ({reason}). {remedy}")


def _split(path: pathlib.Path, keys: Sequence[str], split: str) -> Split:
    """The keys of a split; raises DataError if there are none, or several."""
    usual = Split(split, f"{split}_{_IMAGES}", f"{split}_{_LABELS}")
    if usual.images in keys and usual.labels in keys:
        return usual
    images, labels = _named(keys, _IMAGE_WORDS, split), _named(keys, _LABEL_WORDS, split)
    for found, words in ((images, _IMAGES), (labels, _LABELS)):
        if len(found) > 1:
            raise DataError(
                f"{shown(path)} has {' and '.join(found)}, which may all be the {words} of the "
                f"split {split!r}; rename one to {split}_{words}."
            )
    if images and labels:
        return Split(split, images[0], labels[0])
    missing = [key for key in (usual.images, usual.labels) if key not in keys]
    raise DataError(
        f"{shown(path)} lacks {' and '.join(missing)}; it has "
        f"{shown(', '.join(keys)) or 'no arrays'}. {_advice(path, keys, split)}".rstrip()
    )


def _named(keys: Sequence[str], words: Sequence[str], split: str) -> list[str]:
    """The keys that say a word and a split, such as "x_train" or "Train_Images"."""
    names = {f"{word}_{split}".lower() for word in words}
    names |= {f"{split}_{word}".lower() for word in words}
    return [key for key in keys if key.lower() in names]


def _advice(path: pathlib.Path, keys: Sequence[str], split: str) -> str:
    """What to do about an archive that lacks a split."""
    splits = _all_splits(keys)
    whole = _whole(path, keys)
    if len(splits) == 1 and splits[0].name == "train":
        (whole,) = splits
    elif splits:
        names = shown(", ".join(one.name for one in splits))
        return (
            f"Its splits are {names}: name them in --config.data.train_split and "
            "--config.data.eval_split."
        )
    if whole is None:
        return ""
    archive = Archive(path, _read(path, (whole.images, whole.labels)), [whole])
    return conversion.split_line(archive, whole, split)


def _all_splits(keys: Sequence[str]) -> list[Split]:
    """The splits that have both images and labels."""
    names = {
        name
        for key in keys
        for word in (*_IMAGE_WORDS, *_LABEL_WORDS)
        for name in (
            key[: -len(word) - 1] if key.lower().endswith(f"_{word}") else "",
            key[len(word) + 1 :] if key.lower().startswith(f"{word}_") else "",
        )
        if name
    }
    splits = []
    for name in sorted(names, key=lambda one: (one != "train", one)):
        images, labels = _named(keys, _IMAGE_WORDS, name), _named(keys, _LABEL_WORDS, name)
        if len(images) == len(labels) == 1:
            splits.append(Split(name, images[0], labels[0]))
    return splits


def _whole(path: pathlib.Path, keys: Sequence[str]) -> Split | None:
    """The keys of images and labels of an archive without splits, if they are certain."""
    images = [key for key in keys if key.lower() in _IMAGE_WORDS]
    labels = [key for key in keys if key.lower() in _LABEL_WORDS]
    if sorted(keys) == ["arr_0", "arr_1"]:  # The names that NumPy gives.
        arrays = _read(path, keys)
        images, labels = sorted(keys, key=lambda key: -arrays[key].ndim)[:1], []
        labels = [key for key in keys if key not in images and arrays[key].ndim <= 2]
    return Split("train", images[0], labels[0]) if len(images) == len(labels) == 1 else None


def _whole_archive(path: pathlib.Path, keys: Sequence[str], chosen: Split) -> Archive:
    """The archive with the arrays of all splits that can be read, for its conversion."""
    splits = [chosen, *(one for one in _all_splits(keys) if one.name != chosen.name)]
    arrays: dict[str, np.ndarray] = {}
    readable = []
    for split in splits:
        try:
            arrays |= _read(path, (split.images, split.labels))
        except DataError:
            continue  # A pickled or damaged split is left out of the conversion.
        readable.append(split)
    return Archive(path, arrays, readable)
