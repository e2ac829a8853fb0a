"""Augmentation of cached examples for training."""

import dataclasses
from typing import Any

import numpy as np

from symmflow_jax.data import transforms
from symmflow_jax.data.batch import Moments
from symmflow_jax.data.transforms import Example


@dataclasses.dataclass(frozen=True)
class CachedPreparation:
    """Augmentation of cached examples for training.

    Attributes:
        target: "mask" or "label".
        random_flip: True to take the mirror image with probability 0.5.
        mirrored: pairs of classes that mirroring exchanges.
    """

    target: str
    random_flip: bool = False
    mirrored: tuple[tuple[int, int], ...] = ()

    @property
    def ignored_are_unknown(self) -> bool:
        """False, since latents have no unknown pixels."""
        return False

    @property
    def image_type(self) -> type[Moments]:
        """`Moments`, from which a codec draws latents."""
        return Moments

    def augment(self, element: dict[str, Any], rng: np.random.Generator) -> Example:
        """An example: "image" with moments, float16 `[height, width, channels]`, and "labels"."""
        labels = np.asarray(element[self.target], np.int32)
        if self.random_flip and rng.random() >= 0.5:
            flipped = transforms.flip_labels(labels, self.mirrored)
            return {"image": element["moments"][1], "labels": flipped}
        return {"image": element["moments"][0], "labels": labels}
