"""A batch of examples: the output of the pipeline and the input of the train step."""

import dataclasses
from typing import Any

import jax

Array = Any
"""An array of NumPy or JAX, or a `jax.ShapeDtypeStruct` in its place."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Pixels:
    """8-bit images, uint8 `[batch, height, width, channels]`."""

    values: Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Signals:
    """Images in [-1, 1], float32 `[batch, height, width, channels]`."""

    values: Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Points:
    """Points with unbounded coordinates, float32 `[batch, n]`."""

    values: Array


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Moments:
    """Means and log variances of the latents of images, concatenated along the channels.

    Float16 or float32 `[batch, latent height, latent width, 2 * latent channels]`, from a cache
    of encoded images.
    """

    values: Array


Images = Pixels | Signals | Points | Moments
"""The image component of a batch; the codec dispatches on its type."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Batch:
    """Arrays with a leading batch axis.

    Attributes:
        image: the images.
        labels: int32 `[batch, height, width]` or `[batch]`; -1 where they are not known.
        example_index: int32 `[batch]`, index of the example among all examples of the step (in
            training) or of the split (in evaluation); its random key is derived from it.
        valid: bool `[batch]`, False for padding and for examples that cannot be read; None in
            training.
        original_labels: list of int32 masks, each in its original size; None unless requested.
        has_image: bool `[batch]`, False for masks or labels without an image, whose image is
            zeros; None if all examples have one.
        has_labels: bool `[batch]`, False for images without a mask or label, whose labels are -1;
            None if all examples have some. A mask may have unknown pixels, -1, all the same.
    """

    image: Images
    labels: Array
    example_index: Array
    valid: Array = None
    original_labels: Any = None
    has_image: Array = None
    has_labels: Array = None

    @property
    def size(self) -> int:
        """Number of examples in the batch."""
        return len(self.example_index)

    def with_images(self, values: Array) -> "Batch":
        """A copy of the batch with other images of the same type."""
        return dataclasses.replace(self, image=type(self.image)(values))

    def to_arrays(self) -> dict[str, Array]:
        """The arrays of a training batch by name, to be saved in a file."""
        names = ("labels", "example_index", "has_image", "has_labels")
        found = {name: getattr(self, name) for name in names}
        present = {name: array for name, array in found.items() if array is not None}
        return {"image": self.image.values} | present
