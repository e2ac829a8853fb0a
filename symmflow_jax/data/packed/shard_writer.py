"""Writing of one shard of a packed data set, whole or not at all."""

import contextlib
import dataclasses
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from array_record.python import array_record_module

from symmflow_jax.data.packed import layout, records
from symmflow_jax.data.packed.index import FILES, Counts, DataSet, Entry, Plan, Shard
from symmflow_jax.data.packed.layout import SplitPlace
from symmflow_jax.data.packed.stored import Stored, stored_example
from symmflow_jax.data.source import DataError, Source
from symmflow_jax.runtime import files, outputs
from symmflow_jax.runtime.errors import first_line
from symmflow_jax.semantics.labels import LabelSchema

# One record per group, because records are read one by one in random order. JPEG and PNG are
# compressed already.
_OF_FILES = "group_size:1,uncompressed"
_OF_ARRAYS = "group_size:1,zstd:3"


@dataclasses.dataclass(frozen=True)
class ShardWriter:
    """Writes the shards of a split; picklable, so that several processes share the work.

    Attributes:
        source: the examples.
        root: folder to which the names of examples are relative.
        dataset: the data set, with its classes.
        plan: which examples belong to which shard.
        where: the place of the split.
        skip_errors: True to leave out examples that cannot be read.
    """

    source: Source
    root: str
    dataset: DataSet
    plan: Plan
    where: SplitPlace
    skip_errors: bool = False

    def write(self, number: int) -> Entry:
        """Writes a shard, and then its entry; returns the entry.

        Raises:
            DataError: if an example cannot be read, unless such examples are skipped.
            OutputError: if the file system refuses.
        """
        path = self.where.shard(number)
        partial = outputs.partial_of(path)
        counter = _Counter(self.dataset.schemas)
        try:
            with _explained_errors(path):
                self.where.folder.mkdir(parents=True, exist_ok=True)
                self._write_records(number, partial, counter)
                num_skipped = len(self.plan.examples_of(number)) - counter.num_examples
                shard = Shard(
                    counter.num_examples,
                    num_skipped,
                    partial.stat().st_size,
                    files.sha256(partial),
                )
                layout.keep(partial, path)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
        entry = Entry(shard, counter.counts)
        layout.write_json(self.where.entry(number), dataclasses.asdict(entry))
        return entry

    def _write_records(self, number: int, path: pathlib.Path, counter: "_Counter") -> None:
        options = _OF_FILES if self.dataset.images == FILES else _OF_ARRAYS
        writer = array_record_module.ArrayRecordWriter(str(path), options)
        masks = self.dataset.schemas.get("mask")
        schema = None if masks is None else records.stored_schema(masks)
        try:
            for example in self._examples(number):
                writer.write(records.pack(example, self._name(example), schema))
                counter.add(example)
        finally:
            writer.close()

    def complete_entry(self, number: int) -> Entry | None:
        """The entry of a shard that is complete, by its hash; None if it must be written."""
        try:
            entry = Entry.from_json(layout.read_json(self.where.entry(number), ""))
            path = self.where.shard(number)
            if layout.size_of(path) != entry.shard.num_bytes:
                return None
            # A shard that lacks examples is no part of a packing that skips none.
            if entry.shard.num_skipped and not self.skip_errors:
                return None
            return entry if files.sha256(path) == entry.shard.sha256 else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _examples(self, number: int) -> Iterator[Stored]:
        for index in self.plan.examples_of(number):
            try:
                yield stored_example(self.source, index)
            except DataError:
                if not self.skip_errors:
                    raise

    def _name(self, example: Stored) -> str:
        """The name of an example within the data set."""
        if isinstance(example.name, str):
            return example.name
        return example.name.absolute().relative_to(self.root).as_posix()


class _Counter:
    """Counts of the classes of examples."""

    def __init__(self, schemas: Mapping[str, LabelSchema]):
        self.num_examples = 0
        self._counts = {
            kind: np.zeros(schema.num_classes, np.int64) for kind, schema in schemas.items()
        }

    def add(self, example: Stored) -> None:
        """Counts an example."""
        self.num_examples += 1
        for kind, counts in self._counts.items():
            classes: Any = {"mask": example.mask, "label": example.label}[kind]
            counts += np.bincount(np.ravel(classes), minlength=len(counts))

    @property
    def counts(self) -> Counts:
        """The counts as plain numbers."""
        return {kind: counts.tolist() for kind, counts in self._counts.items()}


@contextlib.contextmanager
def _explained_errors(path: pathlib.Path) -> Iterator[None]:
    """Turns errors of the file system, also those of ArrayRecord, into OutputError."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else first_line(error)
        raise outputs.OutputError(
            f"{path} could not be written: {reason}. Free space there, or give {layout.INSTEAD}; "
            "complete shards are kept, and the same command goes on after them."
        ) from error
