"""Label schemas: names, colours and file ids of the classes of a data set."""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int32, Integer, UInt8

from symmflow_jax.semantics import palettes
from symmflow_jax.semantics.palettes import Palette

UNKNOWN = -1
"""The label of what is not known: a pixel that belongs to no class, or an example without a label.

It has no loss and is never an answer."""

UNKNOWN_COLOUR = (127, 127, 127)
"""The colour of unknown pixels in pictures."""


class UnknownIds(ValueError):
    """Ids that belong to no class.

    Attributes:
        finding: the sentence that names them; the message has the usual remedy too.
    """

    def __init__(self, finding: str):
        super().__init__(
            f"{finding} Add them to config.data.class_names, or name one of them in "
            "config.data.ignored_id; --mode=check_data looks at all files."
        )
        self.finding = finding


@dataclasses.dataclass(frozen=True)
class LabelSchema:
    """The classes of a data set; every checkpoint stores them.

    Inside the project the n classes are numbered 0 to n-1, for any ids in the files.

    Attributes:
        names: name of each class.
        raw_ids: id of each class in the files of the data set.
        palette: colour of each class.
        ignored: classes that do not count in any score, such as "void".
        merged_ids: further ids of the files, each with the number of its class.
        mirrored: pairs of classes that a mirrored image exchanges, such as left and right.
        label_colours: colour that stands for a label of each class, if labels are encoded as
            colours; by default `palettes.label_colours`. Empty for more classes than it has.
        unknown_ids: ids of the files that mean `UNKNOWN`, the id that is written first. Empty if
            every pixel has a class.
    """

    names: tuple[str, ...]
    raw_ids: tuple[int, ...]
    palette: Palette
    ignored: tuple[int, ...] = ()
    merged_ids: tuple[tuple[int, int], ...] = ()
    mirrored: tuple[tuple[int, int], ...] = ()
    label_colours: Palette = ()
    unknown_ids: tuple[int, ...] = ()

    def __post_init__(self):
        if not self.label_colours and self.num_classes <= palettes.MOST_LABEL_COLOURS:
            # A checkpoint stores the colours themselves, so a later rule does not change a run.
            object.__setattr__(self, "label_colours", palettes.label_colours(self.num_classes))
        counts = {len(self.names), len(self.raw_ids), len(self.palette)}
        if len(counts) > 1:
            raise ValueError(
                f"A label schema needs as many names ({len(self.names)}) as raw ids "
                f"({len(self.raw_ids)}) and colours ({len(self.palette)})."
            )
        known = self._classes_by_id()
        if len(known) < len(self.raw_ids) + len(self.merged_ids) + len(self.unknown_ids):
            raise ValueError(
                f"Raw ids occur twice in the label schema: {self.raw_ids}, {self.merged_ids}, "
                f"{self.unknown_ids}."
            )
        self._check_names()

    def _check_names(self) -> None:
        """Raises a ValueError for names that a table of classes could not tell apart."""
        for name, raw_id, own in zip(
            self.names, self.raw_ids, told_apart(self.names, self.raw_ids), strict=True
        ):
            if not name.strip():
                raise ValueError(
                    f"The class of id {raw_id} has an empty name {name!r}; give every class one in "
                    "config.data.class_names, or in the list of the data set."
                )
            if name != own:
                first = self.raw_ids[self.names.index(name)]
                raise ValueError(
                    f"Two classes have the name {name!r}, those of ids {first} and {raw_id}. Give "
                    "each a name of its own in config.data.class_names (or in the list of the data "
                    f"set), such as {name!r} and {own!r}."
                )

    @property
    def num_classes(self) -> int:
        """Number of classes, ignored ones included."""
        return len(self.names)

    @property
    def scored(self) -> tuple[int, ...]:
        """The classes that count in scores."""
        return tuple(c for c in range(self.num_classes) if c not in self.ignored)

    def from_raw(
        self, raw: Integer[np.ndarray, "*shape"], where: str
    ) -> Integer[np.ndarray, "*shape"]:
        """Converts ids of a file to classes: uint8 if the ids are, otherwise int32.

        Where some ids mean `UNKNOWN`, the result is int32 in any case.

        Args:
            raw: integer array of any shape.
            where: name of the source in an error, usually the file.

        Raises:
            UnknownIds: if an id belongs to no class; it names the ids and the remedy.
        """
        known = self._classes_by_id()
        in_bytes = max(known.values()) < _NO_BYTE and not self.unknown_ids
        few = raw.dtype == np.uint8 and in_bytes
        classes = _look_up_bytes(raw, known) if few else _look_up(raw, known)
        if classes.max(initial=0) == _NO_BYTE if few else classes.min(initial=0) == _NO_CLASS:
            unknown = sorted(set(np.unique(raw).tolist()) - known.keys())
            raise UnknownIds(
                f"{where}: ids {_shorten(unknown)} are outside the class list, whose ids are "
                f"{_shorten(sorted(known))}."
            )
        return classes

    @property
    def known_ids(self) -> tuple[int, ...]:
        """All ids of the data set's files that belong to a class, or are unknown."""
        return tuple(self._classes_by_id())

    def _classes_by_id(self) -> dict[int, int]:
        classes = {raw_id: number for number, raw_id in enumerate(self.raw_ids)}
        return classes | dict(self.merged_ids) | dict.fromkeys(self.unknown_ids, UNKNOWN)

    def without_ignored(self) -> "LabelSchema":
        """The schema without its ignored classes, whose pixels are then unknown.

        The other classes keep their order and are numbered anew; see `numbers_without_ignored`.
        """
        if not self.ignored:
            return self
        kept, numbers = self.scored, self.numbers_without_ignored()
        merged = [(raw_id, int(numbers[label])) for raw_id, label in self.merged_ids]
        return LabelSchema(
            names=tuple(self.names[label] for label in kept),
            raw_ids=tuple(self.raw_ids[label] for label in kept),
            palette=tuple(self.palette[label] for label in kept),
            merged_ids=tuple(pair for pair in merged if pair[1] != UNKNOWN),
            mirrored=tuple(
                (int(numbers[first]), int(numbers[second]))
                for first, second in self.mirrored
                if not {first, second} & set(self.ignored)
            ),
            unknown_ids=(
                *(self.raw_ids[label] for label in self.ignored),
                *(raw_id for raw_id, label in merged if label == UNKNOWN),
                *self.unknown_ids,
            ),
        )

    def numbers_without_ignored(self) -> Integer[np.ndarray, " classes"]:
        """The number of each class in `without_ignored`, int16; `UNKNOWN` for ignored ones."""
        numbers = np.full(self.num_classes, UNKNOWN, np.int16)
        numbers[list(self.scored)] = np.arange(len(self.scored))
        return numbers

    def with_unknown(self) -> "LabelSchema":
        """The schema with an id for unknown pixels: 255, or else the largest free one below."""
        if self.unknown_ids:
            return self
        candidates = itertools.chain(range(255, -1, -1), itertools.count(256))
        free = next(number for number in candidates if number not in self.known_ids)
        return dataclasses.replace(self, unknown_ids=(free,))

    def to_raw(self, classes: Integer[np.ndarray, "*shape"]) -> Integer[np.ndarray, "*shape"]:
        """Ids of the data set's files, the inverse of `from_raw`.

        Raises:
            ValueError: if there are unknown pixels, but no id for them.
        """
        if not self.unknown_ids and np.min(classes, initial=0) < 0:
            raise ValueError("There are unknown pixels, but these classes have no id for them.")
        return np.asarray((*self.raw_ids, *self.unknown_ids[:1]))[classes]

    def colourize(self, classes: Integer[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape 3"]:
        """uint8 `[..., 3]` picture of classes `[...]`; unknown pixels are grey."""
        return np.asarray((*self.palette, UNKNOWN_COLOUR), np.uint8)[classes]

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain values for `from_json`."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "LabelSchema":
        """The schema that `to_json` was made from.

        Fields that the first checkpoints do not have are optional. Equal names, which they may
        have, are told apart. Without colours of labels, they are those of that time.
        """
        names = tuple(values["names"])
        label_colours = values.get("label_colours")
        if label_colours is None and len(names) <= palettes.MOST_LABEL_COLOURS:
            label_colours = palettes.earlier_label_colours(len(names))
        return cls(
            names=told_apart(names, values["raw_ids"]),
            raw_ids=tuple(values["raw_ids"]),
            palette=tuple(tuple(colour) for colour in values["palette"]),
            ignored=tuple(values["ignored"]),
            merged_ids=tuple((raw_id, number) for raw_id, number in values.get("merged_ids", ())),
            mirrored=tuple((first, second) for first, second in values.get("mirrored", ())),
            label_colours=tuple((r, g, b) for r, g, b in label_colours or ()),
            unknown_ids=tuple(values.get("unknown_ids", ())),
        )


def told_apart(names: Sequence[str], raw_ids: Sequence[int]) -> tuple[str, ...]:
    """Names of classes, with the id behind a name that another class has before.

    Args:
        names: name of each class, perhaps with equal or empty ones.
        raw_ids: id of each class.
    """
    found: list[str] = []
    for name, raw_id in zip(names, raw_ids, strict=True):
        name = name if name.strip() else f"class {raw_id}"
        while name in found:
            name = f"{name} ({raw_id})"
        found.append(name)
    return tuple(found)


def _look_up(
    raw: Integer[np.ndarray, "*shape"], known: dict[int, int]
) -> Int32[np.ndarray, "*shape"]:
    """Classes of ids, int32; `_NO_CLASS` for ids without a class."""
    # One entry beyond the largest id takes all that lies outside.
    table = np.full(max(known) + 2, _NO_CLASS, np.int32)
    table[list(known)] = list(known.values())
    ids = raw.astype(np.int64)  # Bytes cannot hold the number of the last entry.
    return table[np.where(ids < 0, len(table), ids).clip(max=len(table) - 1)]


_NO_CLASS = -2  # In int32; -1 is `UNKNOWN`.
_NO_BYTE = 255


def _look_up_bytes(
    raw: UInt8[np.ndarray, "*shape"], known: dict[int, int]
) -> UInt8[np.ndarray, "*shape"]:
    """Classes of uint8 ids, uint8; 255 for ids without a class.

    `bytes.translate` needs no wider integers. Their memory would take longer to allocate than the
    look-up itself.
    """
    table = bytearray([_NO_BYTE]) * 256
    for raw_id, number in known.items():
        if raw_id < len(table):
            table[raw_id] = number
    return np.frombuffer(raw.tobytes().translate(table), np.uint8).reshape(raw.shape)


def consecutive(names: tuple[str, ...], ignored_id: int | None = None) -> LabelSchema:
    """Classes filed under 0, 1, 2, ..., and perhaps a "void"; as `filed_under`."""
    return filed_under(tuple(range(len(names))), names, ignored_id)


def filed_under(
    raw_ids: tuple[int, ...], names: tuple[str, ...], ignored_id: int | None = None
) -> LabelSchema:
    """Classes with the ids of their files, and perhaps a "void" under an id of its own.

    Args:
        raw_ids: id of each class.
        names: name of each class.
        ignored_id: id of the pixels that belong to no class. If it is the id of one of the
            names, that class is ignored; otherwise a class "void" follows the other classes, or
            "void (255)" (with its id) if one of them has that name.

    Raises:
        ValueError: if an id is negative, if the numbers of ids and names differ, or if a name is
            empty or occurs twice.
    """
    if min(raw_ids, default=0) < 0:
        ids = _shorten(list(raw_ids))
        raise ValueError(f"The class ids {ids} include {min(raw_ids)}; ids are not negative.")
    if ignored_id is not None and ignored_id < 0:
        raise ValueError(f"ignored_id is {ignored_id}; ids are not negative.")
    ignored: tuple[int, ...] = ()
    if ignored_id in raw_ids:
        ignored = (raw_ids.index(ignored_id),)
    elif ignored_id is not None:
        void = f"void ({ignored_id})" if "void" in names else "void"
        names, raw_ids, ignored = (*names, void), (*raw_ids, ignored_id), (len(names),)
    return LabelSchema(names, raw_ids, palettes.distinct(len(names)), ignored)


def _shorten(ids: list[int], most: int = 12) -> str:
    shown = ", ".join(str(i) for i in ids[:most])
    return f"{shown}, ... ({len(ids)} in all)" if len(ids) > most else shown
