"""A cache of encoded training examples on disk, in ArrayRecord files.

A record has the moments of an image's posterior, so that every epoch draws samples of its own,
and the labels, which are encoded anew in each step: their dequantisation noise lies in pixels.

Moments are float16, whose rounding is an eighth of bfloat16's, in which the autoencoder usually
computes. ArrayRecord compresses what is in a record.
"""

import dataclasses
import json
import pathlib
import shutil
from typing import Any

import grain
import numpy as np
import safetensors.numpy
from array_record.python import array_record_module

from symmflow_jax.data import transforms
from symmflow_jax.data.batch import Moments
from symmflow_jax.data.source import DataError
from symmflow_jax.data.transforms import Example
from symmflow_jax.runtime import files
from symmflow_jax.semantics.labels import LabelSchema

_INDEX = "index.json"
_RECORDS_PER_FILE = 4096


@dataclasses.dataclass(frozen=True)
class CacheIndex:
    """What a cache holds, written beside it as `index.json`.

    Attributes:
        source: name of the data source.
        split: the split of it that was encoded.
        target: "mask" or "label".
        image_size: height and width of the images before encoding.
        has_mirrored: whether every example has the moments of its mirror image, too.
        encoder_hash: hash of the encoder's weights.
        num_examples: how many there are.
        schema: the classes.
    """

    source: str
    split: str
    target: str
    image_size: tuple[int, ...]
    has_mirrored: bool
    encoder_hash: str
    num_examples: int
    schema: LabelSchema


class CacheWriter:
    """Writes a cache; as a context, it leaves a whole one behind or none.

    Args:
        folder: where to write; must not exist.
        index: what the cache will hold.

    Attributes:
        count: examples written so far.

    Raises:
        DataError: if the folder exists.
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
        # What an interrupted run has left.
        shutil.rmtree(self._partial, ignore_errors=True)
        self._partial.mkdir(parents=True)
        return self

    def write(self, moments: np.ndarray, labels: np.ndarray) -> None:
        """Adds an example.

        Args:
            moments: float `[1 or 2, height, width, channels]` of the image and perhaps of its
                mirror image.
            labels: int `[image height, image width]` or `[]`.
        """
        if self.count % _RECORDS_PER_FILE == 0:
            self._open_next_file()
        small = np.uint8 if self._index.schema.num_classes <= 256 else np.uint16
        arrays = {"moments": moments.astype(np.float16), "labels": labels.astype(small)}
        contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        self._writer.write(safetensors.numpy.save(contiguous))
        self.count += 1

    def __exit__(self, error_type: type | None, *error) -> None:
        if self._writer is not None:
            self._writer.close()
        if error_type is None:
            index = dataclasses.replace(self._index, num_examples=self.count)
            files.write_json(self._partial / _INDEX, dataclasses.asdict(index))
            self._partial.replace(self._folder)
        else:
            shutil.rmtree(self._partial, ignore_errors=True)

    def _open_next_file(self) -> None:
        if self._writer is not None:
            self._writer.close()
        number = self.count // _RECORDS_PER_FILE
        path = self._partial / f"examples-{number:05d}.array_record"
        # One record in each group: they are read one by one, in random order.
        self._writer = array_record_module.ArrayRecordWriter(str(path), "group_size:1")


class LatentCache:
    """Encoded examples: "moments" float16 `[1 or 2, height, width, channels]` and the target.

    Args:
        folder: of the cache.

    Raises:
        DataError: if there is no whole cache.
    """

    def __init__(self, folder: str | pathlib.Path):
        self._folder = pathlib.Path(folder)
        self.index = _read_index(self._folder)
        files = sorted(str(path) for path in self._folder.glob("*.array_record"))
        self._records = grain.sources.ArrayRecordDataSource(files)
        if len(self._records) != self.index.num_examples:
            raise DataError(
                f"{self._folder} has {len(self._records)} of {self.index.num_examples} examples "
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
        except Exception as error:  # Damaged bytes may fail in any way.
            raise DataError(
                f"Example {index} of {self._folder} cannot be read ({error}); encode again with "
                "--mode=encode."
            ) from error

    def check_fits(self, expected: dict[str, Any]) -> None:
        """Raises `DataError` if the cache is not of what a run expects.

        Args:
            expected: values of `CacheIndex` by name; `has_mirrored` may be more than expected.
        """
        found = dataclasses.asdict(self.index)
        differences = [
            f"{name} is {found[name]!r}, the run's {value!r}"
            for name, value in expected.items()
            if found[name] != value and not (name == "has_mirrored" and not value)
        ]
        if differences:
            raise DataError(
                f"The latents in {self._folder} are of another kind ({'; '.join(differences)}). "
                "Encode again with --mode=encode into another --config.data.latents, or set it "
                "to '' to encode on the fly."
            )


@dataclasses.dataclass(frozen=True)
class CachedPreparation:
    """What is done to each cached example for training.

    Attributes:
        target: "mask" or "label".
        random_flip: whether to take the mirror image half of the time.
        mirrored: pairs of classes that a mirror turns into each other.
    """

    target: str
    random_flip: bool = False
    mirrored: tuple[tuple[int, int], ...] = ()

    @property
    def image_type(self) -> type[Moments]:
        """Moments, which a codec draws latents from."""
        return Moments

    def augment(self, element: dict[str, Any], rng: np.random.Generator) -> Example:
        """An example whose "image" are moments, float16 `[height, width, channels]`."""
        labels = np.asarray(element[self.target], np.int32)
        if self.random_flip and rng.random() >= 0.5:
            flipped = transforms.flip_labels(labels, self.mirrored)
            return {"image": element["moments"][1], "labels": flipped}
        return {"image": element["moments"][0], "labels": labels}


def _read_index(folder: pathlib.Path) -> CacheIndex:
    try:
        values = json.loads((folder / _INDEX).read_text())
        values["schema"] = LabelSchema.from_json(values["schema"])
        values["image_size"] = tuple(values["image_size"])
        return CacheIndex(**values)
    except FileNotFoundError as error:
        raise DataError(
            f"{folder} holds no encoded examples; make them with --mode=encode and the same config."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{folder / _INDEX} is damaged ({error!r}); encode again with --mode=encode."
        ) from error
