"""How often each class occurs in a source: by pixels, and by the pictures that have it."""

import concurrent.futures
import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from symmflow_jax.data.source import DataError, Source

_NUM_THREADS = 4


@dataclasses.dataclass(frozen=True)
class ClassCounts:
    """Sums over the examples of a source.

    Attributes:
        pixels: number of pixels (masks) or examples (labels) of each class.
        pictures: number of examples in which each class occurs.
        num_pictures: number of examples.
    """

    pixels: tuple[int, ...]
    pictures: tuple[int, ...]
    num_pictures: int

    @classmethod
    def of_examples(cls, table: Int64[np.ndarray, "examples classes"]) -> "ClassCounts":
        """The sums of a result of `count_by_example`."""
        pixels, pictures = table.sum(axis=0), (table > 0).sum(axis=0)
        return cls(tuple(pixels.tolist()), tuple(pictures.tolist()), len(table))

    def shares(self, leaving_out: Collection[int] = ()) -> Float64[np.ndarray, " classes"]:
        """Share of each class in the pixels, in [0, 1]; all 0 if there are none.

        Args:
            leaving_out: classes that do not count, such as ignored ones; their share is 0.
        """
        pixels = np.asarray(self.pixels, np.float64)
        pixels[list(leaving_out)] = 0.0
        return pixels / max(pixels.sum(), 1.0)

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain values for `from_json`."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ClassCounts":
        """The counts of a dictionary from `to_json`."""
        return cls(tuple(values["pixels"]), tuple(values["pictures"]), values["num_pictures"])


def count_labels(labels: np.ndarray, num_classes: int) -> Int64[np.ndarray, " classes"]:
    """Number of pixels of each class in a mask, or 1 for the class of a label.

    Args:
        labels: classes, integers `[height, width]` or `[]`; negative ones are unknown, and are
            not counted.
        num_classes: number of classes.
    """
    known = labels[labels >= 0]
    return np.bincount(known.ravel(), minlength=num_classes).astype(np.int64)


def count_by_example(
    source: Source, target: str, num_classes: int, *, skip_errors: bool = False
) -> Int64[np.ndarray, "examples classes"]:
    """Number of pixels of each class in each example of a source; reads all examples.

    Args:
        source: the examples.
        target: key of the semantics in an example, "mask" or "label".
        num_classes: number of classes.
        skip_errors: whether an example that cannot be read is a row of zeros.

    Raises:
        DataError: for the first example that cannot be read, unless they are skipped.
    """

    def count(index: int) -> np.ndarray:
        try:
            return count_labels(np.asarray(source[index][target]), num_classes)
        except DataError:
            if not skip_errors:
                raise
            return np.zeros(num_classes, np.int64)

    with concurrent.futures.ThreadPoolExecutor(_NUM_THREADS) as pool:
        rows = list(pool.map(count, range(len(source))))
    return np.stack(rows) if rows else np.zeros((0, num_classes), np.int64)
