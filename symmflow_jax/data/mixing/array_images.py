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


def known(path: pathlib.Path, labels: np.ndarray, count: int) -> np.ndarray | None:
    """Which labels of an archive are not -1, bool `[count]`; None if they are no numbers.

    Raises:
        DataError: if all of them are -1.
    """
    if labels.dtype.kind not in "if" or labels.size != count:
        return None
    found = labels.reshape(-1) != UNKNOWN
    if not found.any():
        raise DataError(
            f"{shown(path)}: all {count} labels are -1, which is no class; some must be known."
        )
    return found


def without_labels(path: pathlib.Path, images: np.ndarray) -> Incomplete | None:
    """Images of an archive as examples without labels; None if there are none."""
    if not len(images):
        return None
    return Incomplete(ArrayImages((path,), images), JointState(1.0, 0.0))
