"""A cache of encoded examples as a data source."""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

import grain
import numpy as np
import safetensors.numpy

from symmflow_jax.data.fingerprint import Fingerprint
from symmflow_jax.data.folders.listing import passed_over
from symmflow_jax.data.latent_cache.index import ARRAY_RECORD, read_index
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime import outputs
from symmflow_jax.runtime.errors import first_line
from symmflow_jax.runtime.storage import downloads, place
from symmflow_jax.runtime.storage.faults import StorageError
from symmflow_jax.semantics.labels import LabelSchema

_REMEDY = (
    "Encode again with --mode=encode into another --config.data.latents, or set it to '' to encode "
    "on the fly."
)


class LatentCache:
    """Encoded examples: "moments" float16 `[1 or 2, height, width, channels]` and the target.

    Args:
        folder: folder of the cache, also in a bucket; its files are then copied to the disk
            (`storage.downloads`).

    Attributes:
        folder: folder of the cache.
        index: description of the cache.
        files: the files of the records.

    Raises:
        DataError: if the cache is missing, damaged or incomplete.
    """

    def __init__(self, folder: str | pathlib.Path):
        self.folder = place.place(str(folder), "config.data.latents")
        self.index = read_index(self.folder)
        records = self.folder.glob(f"*{ARRAY_RECORD}")
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


def _open_records(folder: pathlib.Path, files: Sequence[pathlib.Path]) -> Any:
    """The records of all files; raises DataError for a file that is none of ArrayRecord."""
    for file in files:
        if not file.is_file():
            raise DataError(f"{file} is no file; encode again with --mode=encode.")
    if not files:
        raise DataError(
            f"{folder} has an index, but no files of examples ({ARRAY_RECORD}); copy it again, or "
            "encode again with --mode=encode."
        )
    try:
        # The library reads files on disks alone.
        copies = [downloads.fetched(file) for file in files]
        return grain.sources.ArrayRecordDataSource([str(file) for file in copies])
    except (StorageError, outputs.OutputError):
        raise
    except Exception:  # Damaged bytes may raise any error.
        _refuse_damaged(files)
        raise


def _refuse_damaged(files: Sequence[pathlib.Path]) -> None:
    """Raises DataError for the first file that cannot be opened alone; errors do not name it."""
    for file in files:
        try:
            grain.sources.ArrayRecordDataSource([str(downloads.fetched(file))])
        except Exception as error:
            raise DataError(
                f"{file} cannot be read ({first_line(error)}); encode again with --mode=encode."
            ) from error
