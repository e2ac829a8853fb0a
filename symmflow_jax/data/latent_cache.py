"""A cache of encoded training examples on disk, in ArrayRecord files.

A record holds the moments of the posterior of an image, from which every epoch draws new samples,
and the labels. Labels are encoded in each step, because their dequantization noise is in pixels.

Moments are float16. Its rounding error is an eighth of that of bfloat16, in which the autoencoder
usually computes. ArrayRecord compresses the records.
"""

import contextlib
import dataclasses
import json
import pathlib
import shutil
from collections.abc import Iterator, Sequence
from types import NoneType
from typing import Any

import grain
import numpy as np
import safetensors.numpy
from array_record.python import array_record_module

from symmflow_jax.data import transforms
from symmflow_jax.data.batch import Moments
from symmflow_jax.data.fingerprint import Fingerprint
from symmflow_jax.data.folders.listing import passed_over
from symmflow_jax.data.source import DataError
from symmflow_jax.data.transforms import Example
from symmflow_jax.runtime import files, outputs
from symmflow_jax.runtime.errors import first_line
from symmflow_jax.semantics.labels import LabelSchema

_INDEX = "index.json"
_ARRAY_RECORD = ".array_record"
_RECORDS_PER_FILE = 4096


@dataclasses.dataclass(frozen=True)
class CacheIndex:
    """Description of a cache, written to its folder as `index.json`.

    Attributes:
        source: name of the data source.
        split: name of the encoded split.
        target: "mask" or "label".
        image_size: height and width of the images before encoding.
        has_mirrored: True if every example also has the moments of its mirror image.
        encoder_hash: hash of the encoder's weights.
        num_examples: number of examples.
        schema: the classes.
        data_digest: digest of the fingerprint of the encoded files; empty in caches of earlier
            versions.
        seed: seed of a drawn source; None for files, and in caches of earlier versions.
        resampling: value of `data.resampling`; empty in caches of earlier versions.
        exif: value of `data.exif`; empty in caches of earlier versions.
    """

    source: str
    split: str
    target: str
    image_size: tuple[int, ...]
    has_mirrored: bool
    encoder_hash: str
    num_examples: int
    schema: LabelSchema
    data_digest: str = ""
    seed: int | None = None
    resampling: str = ""
    exif: str = ""


_REMEDY = (
    "Encode again with --mode=encode into another --config.data.latents, or set it to '' to encode "
    "on the fly."
)


class CacheWriter:
    """Context manager that writes a cache completely or not at all.

    Args:
        folder: folder of the cache; must not exist.
        index: description of the cache; its `num_examples` is set at the end.

    Attributes:
        count: examples written so far.

    Raises:
        DataError: if the folder exists, or another in the place of its unfinished form.
        OutputError: if the file system refuses, when something is written.
    """

    def __init__(self, folder: pathlib.Path, index: CacheIndex):
        if folder.exists():
            raise DataError(
                f"{folder} exists already; remove it, or encode into another folder with "
                "--config.data.latents."
            )
        self._folder, self._index = folder, index
        self._partial = folder.with_name(f"{folder.name}.partial")
        self._writer: Any = None
        self.count = 0

    def __enter__(self) -> "CacheWriter":
        self._remove_remains()
        with self._explained_errors():
            self._partial.mkdir(parents=True)
        return self

    def write(self, moments: np.ndarray, labels: np.ndarray) -> None:
        """Adds an example.

        Args:
            moments: float `[1 or 2, height, width, channels]` of the image and, if cached, of its
                mirror image.
            labels: int `[image height, image width]` or `[]`.
        """
        if self.count % _RECORDS_PER_FILE == 0:
            self._open_next_file()
        small = np.uint8 if self._index.schema.num_classes <= 256 else np.uint16
        arrays = {"moments": moments.astype(np.float16), "labels": labels.astype(small)}
        contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        with self._explained_errors():
            self._writer.write(safetensors.numpy.save(contiguous))
        self.count += 1

    def __exit__(self, error_type: type | None, *error) -> None:
        try:
            if error_type is None:
                self._finish()
            else:
                with contextlib.suppress(outputs.OutputError):
                    self._close()
        finally:
            # Nothing is there after `_finish`.
            shutil.rmtree(self._partial, ignore_errors=True)

    def _finish(self) -> None:
        self._close()
        index = dataclasses.replace(self._index, num_examples=self.count)
        with self._explained_errors():
            files.write_json(self._partial / _INDEX, dataclasses.asdict(index))
            self._partial.replace(self._folder)

    def _close(self) -> None:
        if self._writer is not None:
            with self._explained_errors():
                self._writer.close()

    @contextlib.contextmanager
    def _explained_errors(self) -> Iterator[None]:
        """Turns errors of the file system, also those of ArrayRecord, into OutputError."""
        try:
            yield
        except (OSError, RuntimeError) as error:
            raise outputs.OutputError(
                f"{self._folder} could not be written ({first_line(error)}), and nothing is kept "
                "of it. Free space there, or give another config.data.latents."
            ) from error

    def _remove_remains(self) -> None:
        """Removes what an interrupted run has left, and nothing else."""
        others = [
            path for path in self._partial.glob("*")
            if path.suffix != _ARRAY_RECORD and path.name != _INDEX
        ]  # fmt: skip
        if others:
            raise DataError(
                f"{self._partial} is needed for the encoding, but holds other files, such as "
                f"{others[0].name}. Move it, or encode into another --config.data.latents."
            )
        shutil.rmtree(self._partial, ignore_errors=True)

    def _open_next_file(self) -> None:
        self._close()
        number = self.count // _RECORDS_PER_FILE
        path = self._partial / f"examples-{number:05d}{_ARRAY_RECORD}"
        # One record per group, because records are read one by one in random order.
        self._writer = array_record_module.ArrayRecordWriter(str(path), "group_size:1")


class LatentCache:
    """Encoded examples: "moments" float16 `[1 or 2, height, width, channels]` and the target.

    Args:
        folder: folder of the cache.

    Attributes:
        folder: folder of the cache.
        index: description of the cache.
        files: the files of the records.

    Raises:
        DataError: if the cache is missing, damaged or incomplete.
    """

    def __init__(self, folder: str | pathlib.Path):
        self.folder = pathlib.Path(folder)
        self.index = _read_index(self.folder)
        records = self.folder.glob(f"*{_ARRAY_RECORD}")
        self.files = tuple(sorted(path for path in records if not passed_over(path.name)))
        self._records = _open_records(self.folder, self.files)
        if len(self._records) != self.index.num_examples:
            raise DataError(
                f"{self.folder} has {len(self._records)} of {self.index.num_examples} examples "
                "that its index tells of; copy it again, or encode again with --mode=encode."
            )

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """The classes of the target."""
        return {self.index.target: self.index.schema}

    def __len__(self) -> int:
        return self.index.num_examples

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        try:
            arrays = safetensors.numpy.load(self._records[index])
            return {"moments": arrays["moments"], self.index.target: arrays["labels"]}
        except Exception as error:  # Damaged bytes may raise any error.
            raise DataError(
                f"Example {index} of {self.folder} cannot be read ({first_line(error)}); encode "
                "again with --mode=encode."
            ) from error

    def check_fits(self, expected: dict[str, Any]) -> None:
        """Raises `DataError` if the cache differs from what a run expects.

        Args:
            expected: values of `CacheIndex` by name. A cache with mirror images also fits a run
                without random flips. What a cache of an earlier version does not tell is not
                compared.
        """
        found = dataclasses.asdict(self.index)
        differences = [
            f"{name} is {found[name]!r}, the run's {value!r}"
            for name, value in expected.items()
            if found[name] not in (value, "", None) and not (name == "has_mirrored" and not value)
        ]
        if differences:
            raise DataError(
                f"The latents in {self.folder} are of another kind ({'; '.join(differences)}). "
                f"{_REMEDY}"
            )

    def check_data(self, found: Fingerprint) -> None:
        """Raises `DataError` if the cache was made of other files than those found.

        A cache of an earlier version does not tell its files, so it fits all.
        """
        if self.index.data_digest in ("", found.digest):
            return
        where = f"those in {found.folder}" if found.folder else "those of the config"
        raise DataError(
            f"The latents in {self.folder} were made of {self.index.num_examples} other examples "
            f"than {where}, which are {found.num_examples} and differ in names, sizes or contents. "
            f"{_REMEDY}"
        )


@dataclasses.dataclass(frozen=True)
class CachedPreparation:
    """Augmentation of cached examples for training.

    Attributes:
        target: "mask" or "label".
        random_flip: True to take the mirror image with probability 0.5.
        mirrored: pairs of classes that mirroring exchanges.
    """

    target: str
    random_flip: bool = False
    mirrored: tuple[tuple[int, int], ...] = ()

    @property
    def image_type(self) -> type[Moments]:
        """`Moments`, from which a codec draws latents."""
        return Moments

    def augment(self, element: dict[str, Any], rng: np.random.Generator) -> Example:
        """An example: "image" with moments, float16 `[height, width, channels]`, and "labels"."""
        labels = np.asarray(element[self.target], np.int32)
        if self.random_flip and rng.random() >= 0.5:
            flipped = transforms.flip_labels(labels, self.mirrored)
            return {"image": element["moments"][1], "labels": flipped}
        return {"image": element["moments"][0], "labels": labels}


def _open_records(folder: pathlib.Path, files: Sequence[pathlib.Path]) -> Any:
    """The records of all files; raises DataError for a file that is none of ArrayRecord."""
    for file in files:
        if not file.is_file():
            raise DataError(f"{file} is no file; encode again with --mode=encode.")
    if not files:
        raise DataError(
            f"{folder} has an index, but no files of examples ({_ARRAY_RECORD}); copy it again, or "
            "encode again with --mode=encode."
        )
    try:
        return grain.sources.ArrayRecordDataSource([str(file) for file in files])
    except Exception:  # Damaged bytes may raise any error.
        _refuse_damaged(files)
        raise


def _refuse_damaged(files: Sequence[pathlib.Path]) -> None:
    """Raises DataError for the first file that cannot be opened alone; errors do not name it."""
    for file in files:
        try:
            grain.sources.ArrayRecordDataSource([str(file)])
        except Exception as error:
            raise DataError(
                f"{file} cannot be read ({first_line(error)}); encode again with --mode=encode."
            ) from error


def _read_index(folder: pathlib.Path) -> CacheIndex:
    path = folder / _INDEX
    if not path.is_file():
        raise DataError(
            f"{folder} holds no encoded examples; make them with --mode=encode and the same "
            "config, or correct config.data.latents."
        )
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        values["schema"] = LabelSchema.from_json(values["schema"])
        values["image_size"] = tuple(values["image_size"])
        index = CacheIndex(**values)
        _check_types(index)
        return index
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path} is damaged ({type(error).__name__}: {first_line(error)}); encode again with "
            "--mode=encode."
        ) from error


def _check_types(index: CacheIndex) -> None:
    """Raises ValueError for a value of another type than the index has."""
    kinds: dict[str, type | tuple[type, ...]] = {
        "source": str, "split": str, "target": str, "encoder_hash": str, "has_mirrored": bool,
        "data_digest": str, "num_examples": int, "seed": (int, NoneType),
    }  # fmt: skip
    for name, kind in kinds.items():
        value = getattr(index, name)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ValueError(f"{name} is {value!r}")
    if not all(type(side) is int and side > 0 for side in index.image_size):
        raise ValueError(f"image_size is {index.image_size!r}")
    if not all(isinstance(name, str) for name in index.schema.names):
        raise ValueError(f"the class names are {index.schema.names!r}")
