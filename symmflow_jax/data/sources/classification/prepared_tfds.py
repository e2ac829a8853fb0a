"""Data sets prepared by TensorFlow Datasets, read with random access without TensorFlow."""

import pathlib
from typing import Any

import numpy as np

from symmflow_jax.data.folders.listing import passed_over
from symmflow_jax.data.source import DataError, numbered_classes
from symmflow_jax.runtime import files
from symmflow_jax.runtime.errors import first_line
from symmflow_jax.semantics import labels


class PreparedTfds:
    """Images "image" uint8 `[height, width, 1 or 3]` with "label" int32 `[]`.

    Args:
        name: name of the set, optionally with config and version, such as "mnist" or
            "svhn_cropped:3.1.0".
        folder: data directory of TFDS; empty for the default directory.
        split: a split in the syntax of TFDS, such as "train" or "train[:90%]".

    Attributes:
        files: the files of the set, of all splits.

    Raises:
        DataError: if tensorflow-datasets is not installed, or if the set is missing, has a format
            without random access, has no such split, or does not consist of 8-bit images with one
            label each.
    """

    def __init__(self, name: str, folder: str, split: str):
        self._where = f"TFDS set {name!r}, split {split!r}"
        builder = _find(name, folder)
        self.files = _files(pathlib.Path(builder.data_dir))
        self._schema = _schema(self._where, dict(builder.info.features.items()))
        try:
            self._examples = builder.as_data_source(split=split)
        except NotImplementedError as error:
            raise DataError(
                f"{self._where} in {builder.data_dir} has no random access. Prepare it again in "
                f"another folder: {_how_to_prepare(name, 'FOLDER')}"
            ) from error
        except Exception as error:  # Damaged files may raise any error.
            raise DataError(f"{self._where} in {builder.data_dir}: {first_line(error)}") from error

    @property
    def schemas(self) -> dict[str, labels.LabelSchema]:
        """The classes of "label", named as in the set."""
        return {"label": self._schema}

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        if not 0 <= index < len(self):
            raise IndexError(f"Example {index} is outside 0 to {len(self) - 1}.")
        try:
            example = self._examples[index]
        except Exception as error:  # Damaged records may raise any error.
            raise DataError(
                f"{self._where}: example {index} cannot be read ({first_line(error)}). Prepare the "
                "set again."
            ) from error
        label = np.asarray(example["label"], np.int32)
        if not 0 <= label < self._schema.num_classes:
            raise DataError(
                f"{self._where}: example {index} has the label {label}, which is none of the "
                f"{self._schema.num_classes} classes; some sets have -1 where labels are not "
                "published. Choose a split with labels."
            )
        return {"image": example["image"], "label": label}


def known_classes(name: str) -> labels.LabelSchema | None:
    """The classes of a set that is not on disk, if its name is known, else None."""
    return numbered_classes(10) if name.split(":")[0] == "mnist" else None


def _find(name: str, folder: str) -> Any:
    """The builder of a set on disk, made from its files without the code of the set."""
    # Imported here because the import is slow and most runs do not need it.
    try:
        from tensorflow_datasets.core import read_only_builder, registered
    except ImportError as error:
        raise DataError(
            f"The TFDS set {name!r} is read by the package tensorflow-datasets, which cannot be "
            f"imported ({first_line(error)}): pip install tensorflow-datasets. It needs no "
            "TensorFlow to read."
        ) from error

    _check_plain(name, folder)
    try:
        return read_only_builder.builder_from_files(name, data_dir=folder or None)
    except registered.DatasetNotFoundError as error:
        raise DataError(
            f"No prepared TFDS set {name!r} in {folder or '~/tensorflow_datasets'}. Prepare it on "
            f"a machine with the network and TensorFlow: {_how_to_prepare(name, folder)} Then "
            "point --config.data.dir to that folder."
        ) from error
    except Exception as error:  # Damaged descriptions may raise any error.
        raise _damaged(name, folder, error) from error


def _check_plain(name: str, folder: str) -> None:
    """Raises DataError for a pipe among the files of a set, which TFDS would wait for."""
    root = pathlib.Path(folder) / name.split("/")[0].split(":")[0]
    if folder and root.is_dir():
        for path in root.rglob("*"):
            if files.waits(path):
                raise DataError(f"{path} is no plain file. Prepare the set again.")


def _damaged(name: str, folder: str, error: Exception) -> DataError:
    return DataError(
        f"The TFDS set {name!r} in {folder or '~/tensorflow_datasets'} cannot be read "
        f"({type(error).__name__}: {first_line(error)}); its dataset_info.json or features.json is "
        f"damaged. Prepare it again in another folder: {_how_to_prepare(name, 'FOLDER')}"
    )


def _files(folder: pathlib.Path) -> tuple[pathlib.Path, ...]:
    # A set may lie in a bucket, which is no local folder.
    inside = folder.iterdir() if folder.is_dir() else ()
    files = (path for path in inside if path.is_file() and not passed_over(path.name))
    return tuple(sorted(files))


def _how_to_prepare(name: str, folder: str) -> str:
    data_dir = f", data_dir={folder!r}" if folder else ""
    return (
        f'python -c "import tensorflow_datasets as tfds; tfds.builder({name!r}{data_dir}, '
        "file_format='array_record').download_and_prepare()\"."
    )


def _schema(where: str, features: dict[str, Any]) -> labels.LabelSchema:
    """The classes of a set; raises DataError if it has no labelled 8-bit images."""
    import tensorflow_datasets as tfds

    image, label = features.get("image"), features.get("label")
    if not isinstance(label, tfds.features.ClassLabel):
        raise DataError(f"{where} has no class label 'label' among {', '.join(sorted(features))}.")
    if not isinstance(image, tfds.features.Image):
        raise DataError(f"{where} has no image 'image' among {', '.join(sorted(features))}.")
    if image.np_dtype != np.uint8 or image.shape[-1] not in (1, 3):
        raise DataError(
            f"{where} has images {image.np_dtype} of shape {image.shape}; "
            "8-bit ones with 1 or 3 channels are needed."
        )
    try:
        return labels.consecutive(tuple(label.names))
    except ValueError as error:
        raise DataError(f"The labels of {where}: {first_line(error)}") from error
