"""A batch of examples, as the pipeline gives it and the train step takes it."""

import dataclasses
from typing import Any

import jax

Array = Any
"""An array of NumPy or JAX, or what stands for its shape in a tree."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Pixels:
    """Images of 8 bits, uint8 `[batch, height, width, channels]`."""

    values: Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Signals:
    """Images in [-1, 1], float32 `[batch, height, width, channels]`."""

    values: Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Points:
    """Points of any range, float32 `[batch, n]`."""

    values: Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Moments:
    """Mean and log variance of images' latents side by side, float16 or float32.

    `[batch, latent height, latent width, 2 * latent channels]`, from a cache of encoded images.
    """

    values: Array


Images = Pixels | Signals | Points | Moments
"""The image component of a batch; its type says what becomes of it in a codec."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Batch:
    """Arrays with a leading batch axis.

    Attributes:
        image: the images.
        labels: int32 `[batch, height, width]` or `[batch]`.
        example_index: int32 `[batch]`, the example's place among all examples of the step (in
            training) or of the split (in evaluation); its random key is made from it.
        valid: bool `[batch]`, False for padding and for what cannot be read; None in training.
        original_labels: a list of int32 masks, each in its own size, if they were asked for.
    """

    image: Images
    labels: Array
    example_index: Array
    valid: Array = None
    original_labels: Any = None

    @property
    def size(self) -> int:
        """Examples of the batch."""
        return len(self.example_index)

    def with_images(self, values: Array) -> "Batch":
        """The batch with other images of the same type."""
        return dataclasses.replace(self, image=type(self.image)(values))

    def to_arrays(self) -> dict[str, Array]:
        """The arrays of a training batch by name, for a file."""
        return {
            "image": self.image.values,
            "labels": self.labels,
            "example_index": self.example_index,
        }
