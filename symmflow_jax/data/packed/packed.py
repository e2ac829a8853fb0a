"""A packed data set as a source of examples."""

import bisect
import logging
import pathlib
from typing import Any, NamedTuple

import grain
import numpy as np

from symmflow_jax.data.decoding.decoding import DEFAULT, Decoding, decode_content
from symmflow_jax.data.decoding.header import AS_STORED
from symmflow_jax.data.packed import index as descriptions, records
from symmflow_jax.data.packed.layout import Place
from symmflow_jax.data.packed.records import Record
from symmflow_jax.data.packed.stored import Stored
from symmflow_jax.data.photos.photo import read_photo_content
from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.segmentation.image_pairs import pair_of, to_classes
from symmflow_jax.data.sources.segmentation.pair import Pair
from symmflow_jax.data.sources.segmentation.pair_notes import PairNotes
from symmflow_jax.runtime import files
from symmflow_jax.runtime.errors import first_line, shown
from symmflow_jax.runtime.outputs import OutputError
from symmflow_jax.runtime.storage import downloads
from symmflow_jax.runtime.storage.faults import StorageError
from symmflow_jax.runtime.storage.place import as_path, is_remote
from symmflow_jax.semantics.labels import LabelSchema

_logger = logging.getLogger(__name__)


class _Whole(NamedTuple):
    """A file of which all records are read; Grain need not open it to count them."""

    filename: str
    skip: int
    take: int
    examples_in_shard: int


class Packed:
    """Examples of a folder that `--mode=pack` has written: what the packed source gave.

    Images of files are RGB Pillow images and keep their EXIF orientation, which counts or not as
    it would in the file. Sizes of the shards are compared at the opening. ArrayRecord compares the
    checksum of each record that it reads. `damaged` compares the hashes of the whole files.

    Args:
        root: folder of the data set, also in a bucket; each process then copies a shard to the
            disk (`storage.downloads`) when it reads the first of its examples.
        split: name of the split, as the packed source called it.
        decoding: limit of the files' sizes, and whether EXIF orientations count.

    Attributes:
        dataset: the description of the data set.
        split: the description of the split.
        decoding: as given.
        files: the description of the data set, the shards, and the description of the split.

    Raises:
        DataError: if the split or a shard is missing, unfinished, of another size or damaged.
    """

    def __init__(self, root: str | pathlib.Path, split: str, decoding: Decoding = DEFAULT):
        place = Place(as_path(root))
        self.dataset = descriptions.read_dataset(place)
        self.split = descriptions.read_split(place, split)
        self.decoding = decoding
        where = place.split(split)
        self._shards = tuple(where.shard(number) for number in range(len(self.split.shards)))
        self._check_sizes()
        self.files = (place.dataset, *self._shards, where.index)
        self._starts = self.split.starts
        instructions = [
            _Whole(str(downloads.copy_of(path)), 0, shard.num_examples, shard.num_examples)
            for path, shard in zip(self._shards, self.split.shards, strict=True)
        ]
        self._fetched = {n for n, path in enumerate(self._shards) if not is_remote(path)}
        self._records = grain.sources.ArrayRecordDataSource(instructions)
        masks = self.dataset.schemas.get("mask")
        self._stored_schema = None if masks is None else records.stored_schema(masks)
        self._notes = PairNotes(decoding.applies_exif)

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """The classes of "mask" and "label"."""
        return dict(self.dataset.schemas)

    @property
    def has_pairs(self) -> bool:
        """True if the examples are image files and masks, so that `read` gives pairs."""
        return self.dataset.has_pairs

    @property
    def has_points(self) -> bool:
        """True if the examples are points."""
        return self.dataset.images == descriptions.POINTS

    @property
    def classes_found(self) -> tuple[int, ...] | None:
        """The labels that occur, ascending, if the classes are known only by them; else None."""
        if not self.dataset.counted:
            return None
        return tuple(np.flatnonzero(self.split.counts["label"]).tolist())

    def __len__(self) -> int:
        return self.split.num_examples

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not 0 <= index < len(self):
            raise IndexError(f"Example {index} is outside 0 to {len(self) - 1}.")
        if self.has_pairs:
            record = self._record(index)
            pair = self._pair(record, index)
            self._notes.look(pair)
            return {"image": pair.image, "mask": pair.mask} | self._label(record, index)
        return self._arrays(index)

    def read(self, index: int) -> Pair:
        """A pair with what its files said; raises DataError as an access does."""
        return self._pair(self._record(index), index)

    def stored(self, index: int) -> Stored:
        """An example as it is packed, to pack it again."""
        record = self._record(index)
        as_stored = Decoding(self.decoding.max_megapixels, applies_exif=False)
        mask, orientation = None, AS_STORED
        if record.mask is not None:
            decoded = decode_content(record.mask, self._name(record, index), as_stored)
            mask = self._mask(np.asarray(decoded.picture), record, index)
            orientation = decoded.header.orientation
        label = self._label(record, index).get("label")
        return Stored(
            record.name, record.image, mask, orientation, None if label is None else int(label)
        )

    def damaged(self) -> list[str]:
        """One message for each shard whose bytes are not those that were packed; reads them all."""
        return [
            message
            for path, shard in zip(self._shards, self.split.shards, strict=True)
            if (message := _damage(path, shard.sha256))
        ]

    def _check_sizes(self) -> None:
        """Raises DataError for a shard that is missing or has another size than was packed."""
        sizes = downloads.sizes_of(self._shards)
        for path, size, shard in zip(self._shards, sizes, self.split.shards, strict=True):
            if size is None:
                raise DataError(f"The shard {shown(path)} is missing. {descriptions.REMEDY}")
            if size != shard.num_bytes:
                raise DataError(
                    f"The shard {shown(path)} has {size} bytes, and {shard.num_bytes} were packed. "
                    f"{descriptions.REMEDY}"
                )

    def _record(self, index: int) -> Record:
        try:
            self._fetch(self._shard_of(index))
            return records.unpack(self._records[index])
        except (StorageError, OutputError):
            raise
        except Exception as error:  # Damaged bytes may raise any error.
            number = self._shard_of(index)
            raise DataError(
                f"Example {index} of {shown(self._shards[number])} (record "
                f"{index - self._starts[number]}) cannot be read ({first_line(error)}). "
                f"{descriptions.REMEDY}"
            ) from error

    def _fetch(self, number: int) -> None:
        """Copies a shard of a bucket to the disk when the first of its examples is read."""
        if number not in self._fetched:
            downloads.fetched(self._shards[number])
            self._fetched.add(number)

    def _name(self, record: Record, index: int) -> pathlib.Path:
        """The shard of an example, followed by its name as if the shard were a folder."""
        return self._shards[self._shard_of(index)] / record.name

    def _shard_of(self, index: int) -> int:
        """The number of the shard that holds an example."""
        return bisect.bisect_right(self._starts, index) - 1

    def _pair(self, record: Record, index: int) -> Pair:
        name = self._name(record, index)
        paths = name, name.with_name(f"{name.name} (mask)")
        assert isinstance(record.image, bytes) and record.mask is not None
        assert self._stored_schema is not None
        image = read_photo_content(record.image, name, self.decoding)
        mask = decode_content(record.mask, paths[1], self.decoding)
        return pair_of(image, mask, paths, self._stored_schema, self.decoding)

    def _arrays(self, index: int) -> dict[str, Any]:
        """An element without a pair of files."""
        record = self._record(index)
        image: Any = record.image
        if isinstance(image, bytes):
            path = self._name(record, index)
            image = read_photo_content(image, path, self.decoding).image
        element = {"image": image} | self._label(record, index)
        if record.mask is not None:
            decoded = decode_content(record.mask, self._name(record, index), self.decoding)
            element["mask"] = self._mask(np.asarray(decoded.picture), record, index)
        return element

    def _mask(self, ids: np.ndarray, record: Record, index: int) -> np.ndarray:
        assert self._stored_schema is not None
        ids = ids if ids.dtype == np.uint8 else ids.astype(np.int32)
        return to_classes(ids, self._stored_schema, self._name(record, index))

    def _label(self, record: Record, index: int) -> dict[str, np.ndarray]:
        if record.label is None:
            return {}
        if not 0 <= record.label < self.dataset.schemas["label"].num_classes:
            raise DataError(
                f"{self._name(record, index)} has the label {record.label}, which is none of the "
                f"classes. {descriptions.REMEDY}"
            )
        return {"label": record.label}


def _damage(path: pathlib.Path, expected: str) -> str | None:
    """What is wrong with a shard, by its hash; None if nothing is."""
    try:
        found = files.sha256(path)
    except OSError as error:
        return f"The shard {shown(path)} cannot be read: {error.strerror}."
    if found == expected:
        return None
    return (
        f"The shard {shown(path)} does not hold the bytes that were packed (SHA-256 {found[:16]}, "
        f"was {expected[:16]}). {descriptions.REMEDY}"
    )
