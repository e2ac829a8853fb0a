"""What stands beside packed examples: the data set with its classes, splits, shards and counts."""

import dataclasses
import hashlib
import itertools
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from symmflow_jax.data.packed.layout import Place, SplitPlace, read_json
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.errors import first_line, shown
from symmflow_jax.semantics.labels import LabelSchema

VERSION = 1
"""Number of the format, which a later one that differs will raise."""

FILES, PIXELS, POINTS = "files", "pixels", "points"
"""How images are kept: as the bytes of their files, as arrays of pixels, or as points."""

REMEDY = "Copy the folder again, or pack it again with --mode=pack --overwrite."

_DAMAGED = (ValueError, KeyError, TypeError, AttributeError, IndexError)


@dataclasses.dataclass(frozen=True)
class DataSet:
    """A packed data set, as `dataset.json` tells it.

    Attributes:
        name: name of the data set in scores.
        images: how its images are kept, "files", "pixels" or "points".
        counted: True if the classes are known only by the labels that occur.
        keys: the values of the config that chose classes and examples, without splits and places.
        schemas: the classes of "mask" and "label".
    """

    name: str
    images: str
    counted: bool
    keys: Mapping[str, Any]
    schemas: Mapping[str, LabelSchema]

    @property
    def has_pairs(self) -> bool:
        """True if the examples are image files and masks."""
        return self.images == FILES and "mask" in self.schemas

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain values for `from_json`."""
        schemas = {kind: schema.to_json() for kind, schema in self.schemas.items()}
        return {"version": VERSION} | vars(self) | {"schemas": schemas}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "DataSet":
        """The data set of a result of `to_json`; raises various errors for other values."""
        _check_version(values)
        fields = _checked(values, name=str, images=str, counted=bool, keys=dict, schemas=dict)
        if values["images"] not in (FILES, PIXELS, POINTS):
            raise ValueError(f"images is {values['images']!r}")
        kinds = values["schemas"].items()
        schemas = {kind: LabelSchema.from_json(one) for kind, one in kinds}
        if not schemas or not schemas.keys() <= {"mask", "label"}:
            raise ValueError(f"schemas are of {', '.join(schemas)}")
        return cls(**fields | {"schemas": schemas})


@dataclasses.dataclass(frozen=True)
class Shard:
    """A complete shard.

    Attributes:
        num_examples: number of its examples.
        num_skipped: number of examples that could not be read and were left out.
        num_bytes: size of its file.
        sha256: hash of its file.
    """

    num_examples: int
    num_skipped: int
    num_bytes: int
    sha256: str

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Shard":
        """The shard of a dictionary of its fields; raises various errors for other values."""
        return cls(**_checked(values, num_examples=int, num_skipped=int, num_bytes=int, sha256=str))


Counts = Mapping[str, list[int]]
"""For "mask" the pixels, and for "label" the examples, of each class."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """What stands beside a complete shard while others are missing.

    Attributes:
        shard: the shard.
        counts: the classes in it.
    """

    shard: Shard
    counts: Counts

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Entry":
        """The entry of `dataclasses.asdict`; raises various errors for other values."""
        return cls(Shard.from_json(values["shard"]), **_checked(values, counts=dict))


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a split is packed of, and how.

    Attributes:
        split: name of the split.
        made_of: its examples, as `config.build.data.provenance` tells them, without the folder.
        examples_per_shard: number of examples of each shard but the last one.
    """

    split: str
    made_of: Mapping[str, Any]
    examples_per_shard: int

    @property
    def num_shards(self) -> int:
        """Number of shards."""
        return -(-self.made_of["num_examples"] // self.examples_per_shard)

    def examples_of(self, number: int) -> range:
        """The indices of the examples of a shard, in the source."""
        start = number * self.examples_per_shard
        end = min(start + self.examples_per_shard, self.made_of["num_examples"])
        return range(start, end)

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain values for `from_json`."""
        return {"version": VERSION} | dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Plan":
        """The plan of a result of `to_json`; raises various errors for other values."""
        _check_version(values)
        fields = _checked(values, split=str, made_of=dict, examples_per_shard=int)
        _checked(fields["made_of"], num_examples=int, keys=dict, digest=str)
        return cls(**fields)


@dataclasses.dataclass(frozen=True)
class Split:
    """A complete split, as `index.json` tells it.

    Attributes:
        plan: what it was packed of.
        shards: its shards.
        counts: the classes in all of them.
    """

    plan: Plan
    shards: tuple[Shard, ...]
    counts: Counts

    @classmethod
    def of_entries(cls, plan: Plan, entries: Sequence[Entry]) -> "Split":
        """The split whose shards are all complete."""
        counts = added(entry.counts for entry in entries)
        return cls(plan, tuple(entry.shard for entry in entries), counts)

    @property
    def num_examples(self) -> int:
        """Number of packed examples."""
        return sum(shard.num_examples for shard in self.shards)

    @property
    def num_skipped(self) -> int:
        """Number of examples that were left out."""
        return sum(shard.num_skipped for shard in self.shards)

    @property
    def starts(self) -> list[int]:
        """The index of the first example of each shard."""
        sizes = (shard.num_examples for shard in self.shards)
        return list(itertools.accumulate(sizes, initial=0))[:-1]

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain values for `from_json`."""
        hashes = "".join(shard.sha256 for shard in self.shards)
        return self.plan.to_json() | {
            # Near the top, where a look at the first bytes of a long index finds every change.
            "sha256": hashlib.sha256(hashes.encode()).hexdigest(),
            "num_examples": self.num_examples,
            "num_skipped": self.num_skipped,
            "counts": dict(self.counts),
            "shards": [dataclasses.asdict(shard) for shard in self.shards],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Split":
        """The split of a result of `to_json`; raises various errors for other values."""
        _checked(values, counts=dict, shards=list)
        shards = tuple(map(Shard.from_json, values["shards"]))
        split = cls(Plan.from_json(values), shards, values["counts"])
        if split.num_examples != values["num_examples"] or not split.num_examples:
            raise ValueError(f"num_examples is {values['num_examples']!r}")
        if split.to_json()["sha256"] != values["sha256"]:
            raise ValueError("the hashes of its shards do not fit together")
        return split


def added(counts: Iterable[Counts]) -> dict[str, list[int]]:
    """The sum of counts by kind."""
    total: dict[str, list[int]] = {}
    for one in counts:
        for kind, numbers in one.items():
            before = total.get(kind, [0] * len(numbers))
            total[kind] = [a + b for a, b in zip(before, numbers, strict=True)]
    return total


def read_dataset(place: Place) -> DataSet:
    """The data set of a folder.

    Raises:
        DataError: if the folder holds none, or its description is damaged.
    """
    if not place.dataset.is_file():
        what = "does not exist" if not place.folder.exists() else "holds no packed data set"
        raise DataError(
            f"{shown(place.folder.absolute())} {what} ({place.dataset.name} is missing). Pack one "
            "with --mode=pack --output=FOLDER, and set --config.data.dir to that folder."
        )
    return _parsed(place.dataset, DataSet)


def read_split(place: Place, name: str) -> Split:
    """A complete split of a folder.

    Raises:
        DataError: if the split is missing, unfinished or damaged.
    """
    where = place.split(name)
    if not where.index.is_file():
        raise DataError(_explain_missing(place, name, where))
    split = _parsed(where.index, Split)
    if split.plan.split != name:
        raise DataError(_explain_missing(place, name, where))
    return split


def read_plan(where: SplitPlace) -> Plan:
    """The plan of an unfinished split; raises DataError if it is damaged."""
    return _parsed(where.plan, Plan)


def _explain_missing(place: Place, name: str, where: SplitPlace) -> str:
    if where.plan.is_file():
        plan = read_plan(where)
        done = sum(where.entry(number).is_file() for number in range(plan.num_shards))
        return (
            f"The packing of {shown(where.folder)} is not finished: {done} of {plan.num_shards} "
            "shards are complete. Run the same --mode=pack again; it goes on after them."
        )
    found = [_parsed(one.index, Split).plan.split for one in place.splits() if one.index.is_file()]
    return (
        f"{shown(place.folder)} has no split {name!r}; it has {', '.join(found) or 'none'}. Set "
        "config.data.train_split and config.data.eval_split, or pack the split into the same "
        "--output."
    )


def _parsed(path: pathlib.Path, kind: Any) -> Any:
    values = read_json(path, REMEDY)
    try:
        return kind.from_json(values)
    except _DAMAGED as error:
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise DataError(f"{shown(path)} cannot be used ({reason}). {REMEDY}") from error


def _check_version(values: Mapping[str, Any]) -> None:
    if values["version"] != VERSION:
        raise ValueError(
            f"its format has the number {values['version']!r}, and this version reads {VERSION}"
        )


def _checked(values: Mapping[str, Any], **kinds: type) -> dict[str, Any]:
    """The values of these names; raises ValueError for one of another type."""
    for name, kind in kinds.items():
        value = values[name]
        is_count = type(value) is int and value >= 0
        if not (is_count if kind is int else isinstance(value, kind)):
            raise ValueError(f"{name} is {value!r}")
    return {name: values[name] for name in kinds}
