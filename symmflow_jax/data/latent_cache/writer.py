"""The writer of a cache of encoded examples."""

import contextlib
import dataclasses
import pathlib
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import safetensors.numpy
from array_record.python import array_record_module

from symmflow_jax.data.latent_cache.index import ARRAY_RECORD, INDEX, CacheIndex
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime import files, outputs
from symmflow_jax.runtime.errors import first_line
from symmflow_jax.runtime.storage.faults import StorageError
from symmflow_jax.runtime.storage.place import is_remote

_RECORDS_PER_FILE = 4096


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
        if is_remote(folder):  # Made on the disk, and copied.
            self._partial = pathlib.Path(tempfile.mkdtemp()) / self._partial.name
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
            files.write_json(self._partial / INDEX, dataclasses.asdict(index))
            if is_remote(self._folder):
                self._copy()
            else:
                self._partial.replace(self._folder)

    def _copy(self) -> None:
        """Copies the files to a bucket; the index is the last, so that it has all files."""
        paths = sorted(self._partial.iterdir(), key=lambda path: (path.name == INDEX, path.name))
        for path in paths:
            place = self._folder / path.name
            assert is_remote(place)
            place.upload(path)

    def _close(self) -> None:
        if self._writer is not None:
            with self._explained_errors():
                self._writer.close()

    @contextlib.contextmanager
    def _explained_errors(self) -> Iterator[None]:
        """Turns errors of the file system, also those of ArrayRecord, into OutputError."""
        try:
            yield
        except StorageError:
            raise
        except (OSError, RuntimeError) as error:
            raise outputs.OutputError(
                f"{self._folder} could not be written ({first_line(error)}), and nothing is kept "
                "of it. Free space there, or give another config.data.latents."
            ) from error

    def _remove_remains(self) -> None:
        """Removes what an interrupted run has left, and nothing else."""
        others = [
            path for path in self._partial.glob("*")
            if path.suffix != ARRAY_RECORD and path.name != INDEX
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
        path = self._partial / f"examples-{number:05d}{ARRAY_RECORD}"
        # One record per group, because records are read one by one in random order.
        self._writer = array_record_module.ArrayRecordWriter(str(path), "group_size:1")
