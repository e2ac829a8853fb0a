"""Images in memory with one class number each."""

import pathlib

import numpy as np

from symmflow_jax.data import source
from symmflow_jax.data.mixing.array_images import as_images
from symmflow_jax.data.sources.classification.arrays.faults import LEAST_WHITE
from symmflow_jax.runtime.errors import shown
from symmflow_jax.semantics.labels import LabelSchema


class LabelledArrays:
    """Images "image" uint8 `[height, width, 1 or 3]` with "label" int32 `[]`.

    Float images `[n]` are points.

    Args:
        files: the files of the arrays.
        images: uint8 `[count, height, width]` or `[count, height, width, 1 or 3]`, or floats
            `[count, n]` for points.
        labels: class numbers, integers `[count]` from 0.

    Attributes:
        files: the files of the arrays.
        notes: a sentence on images whose values are all dark, if they are.
        classes_found: the class numbers that occur, in ascending order.
    """

    def __init__(self, files: tuple[pathlib.Path, ...], images: np.ndarray, labels: np.ndarray):
        self.files = files
        self._images = as_images(images)
        self.notes = _on_levels(files[0], self._images)
        self._labels = labels.astype(np.int32)
        self.classes_found = tuple(np.unique(self._labels).tolist())

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """The classes of "label" up to the largest that occurs, named by their numbers."""
        return {"label": source.numbered_classes(self.classes_found[-1] + 1)}

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        return {"image": self._images[index], "label": np.asarray(self._labels[index])}


def _on_levels(path: pathlib.Path, images: np.ndarray) -> tuple[str, ...]:
    most = int(images.max(initial=0))
    if images.dtype != np.uint8 or not 0 < most < LEAST_WHITE:
        return ()
    return (
        f"{shown(path)}: no value of the images is above {most} of 255, so all are dark; if {most} "
        f"means white, multiply them by {255 // most}.",
    )
