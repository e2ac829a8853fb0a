"""Interface of the sources of examples, and functions that the sources share."""

from typing import Any, Protocol

import numpy as np

from symmflow_jax.semantics import labels
from symmflow_jax.semantics.labels import LabelSchema


class DataError(ValueError):
    """Data that is missing or cannot be read; the message names the file and the remedy."""


class Source(Protocol):
    """Examples with random access by index; picklable for the reading processes.

    An element has "image" in its original size: uint8 `[height, width, 1 or 3]`, an RGB Pillow
    image if it comes from an image file, a signal float32 `[height, width, channels]` in [-1, 1] if
    `data.photos` has read it, or float32 `[n]` for points. It also has an array for
    every key of `schemas`: "mask", integers `[height, width]`, or "label", int32 `[]`. Both hold
    classes of their schema.

    A source that reads files also has `files`, a tuple of the paths that it reads, in the order of
    its examples. They tell one data set from another (`data/fingerprint.py`). If its images are
    files, a method `stored` of an index gives what `--mode=pack` keeps (`data/packed/stored.py`).
    One that is a part of what its files hold has `rows`, the numbers of its examples there. Sources
    of the user's own data have `names` of their examples, and `only`, which makes a part.
    """

    @property
    def schemas(self) -> dict[str, LabelSchema]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> dict[str, Any]: ...


def notes_of(source: Source) -> tuple[str, ...]:
    """Sentences on the files of a source: what is there and not used, and what was understood.

    They are the attribute `notes` of a source; most sources have none.
    """
    return getattr(source, "notes", ())


def classes_found(source: Source) -> tuple[int, ...] | None:
    """The labels that occur, ascending, of a source that knows its classes only by them.

    They are the attribute `classes_found` of a source. None for all others.
    """
    return getattr(source, "classes_found", None)


def check_split(split: str, splits: tuple[str, ...]) -> None:
    """Raises ValueError if `split` is not in `splits`."""
    if split not in splits:
        raise ValueError(f"There is no split {split!r}; choose one of {', '.join(splits)}.")


def check_drawn(size: int, split: str, seed: int) -> None:
    """Raises ValueError for arguments that no synthetic source accepts."""
    check_split(split, DRAWN_SPLITS)
    if size < 1:
        raise ValueError(f"A drawn source needs at least one example, not {size}.")
    if seed < 0:
        raise ValueError(f"The seed of a drawn source is {seed}; it must not be negative.")


def random_stream(seed: int, split: str, *index: int) -> np.random.Generator:
    """A generator for one split, or one example of it, independent of all others."""
    spawn_key = (DRAWN_SPLITS.index(split), *index)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=spawn_key))


def numbered_classes(num_classes: int) -> LabelSchema:
    """A schema whose class names are their numbers, starting with "0"."""
    return labels.consecutive(tuple(str(number) for number in range(num_classes)))


DRAWN_SPLITS = ("train", "test")
