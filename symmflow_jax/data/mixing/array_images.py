"""Images in memory without labels."""

import pathlib

import numpy as np

from symmflow_jax.semantics.labels import LabelSchema


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
