"""Images in memory without labels."""

import pathlib

import numpy as np

from symmflow_jax.data.mixing.incomplete import Incomplete
from symmflow_jax.data.source import DataError
from symmflow_jax.flow.state import JointState
from symmflow_jax.runtime.errors import shown
from symmflow_jax.semantics.labels import UNKNOWN, LabelSchema


class ArrayImages:
    """Images in memory without labels; arguments as of `LabelledArrays`."""

    def __init__(self, files: tuple[pathlib.Path, ...], images: np.ndarray):
        self.files = files
        self._images = as_images(images)

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """Empty, since there are no labels."""
        return {}

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        return {"image": self._images[index]}


def as_images(images: np.ndarray) -> np.ndarray:
    """Images with channels, or points in float32."""
    if images.ndim == 2:
        return images.astype(np.float32)
    return images[..., None] if images.ndim == 3 else images


Known = slice | np.ndarray
"""Which examples have a label: bool `[count]`, or a slice of all."""


def split_known(
    path: pathlib.Path, labels: np.ndarray, images: np.ndarray, is_asked: bool = True
) -> tuple[Known, np.ndarray]:
    """Which labels of an archive are not -1, and the labels with 0 for the others.

    If it is not asked for, or labels are no numbers or not one for each image, they stay as they
    are.

    Raises:
        DataError: if all of them are -1.
    """
    is_one_each = (labels.size,) == images.shape[:1]
    if not is_asked or labels.dtype.kind not in "if" or not is_one_each:
        return slice(None), labels
    known = labels.reshape(-1) != UNKNOWN
    if not known.any():
        raise DataError(
            f"{shown(path)}: all {labels.size} labels are -1, no class; some must be known."
        )
    return known, np.where(labels == UNKNOWN, 0, labels)


def without_labels(path: pathlib.Path, images: np.ndarray, known: Known) -> Incomplete | None:
    """The images of an archive that have no label, as examples; None if all have one."""
    if isinstance(known, slice) or known.all():
        return None
    return Incomplete(ArrayImages((path,), images[~known]), JointState(1.0, 0.0))
