"""One plane for each class: 1 where it is, -1 elsewhere."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Integer, Key

from symmflow_jax.semantics.labels import LabelSchema
from symmflow_jax.semantics.planes import broadcast_over_plane, mean_over_plane


@dataclasses.dataclass(frozen=True)
class OneHot:
    """Masks or labels as one-hot planes, whose mean codes are probabilities.

    One step from pure noise gives the posterior mean of the code. With ordered codes, this mean may
    be the code of a class of probability zero. With one-hot codes, it is the posterior itself.

    Attributes:
        num_classes: planes.
        spatial_shape: `(height, width)` over which one label is repeated; empty for masks, which
            have a label for every pixel, and for points.
        has_unknown: whether labels may be unknown, -1, whose code is -1 in all planes.
    """

    num_classes: int
    spatial_shape: tuple[int, ...] = ()
    has_unknown: bool = False

    @classmethod
    def of_classes(
        cls, schema: LabelSchema, spatial_shape: tuple[int, ...], dequantization_beta: float
    ) -> "OneHot":
        """The encoding of a schema's classes; see `Encoding.of_classes`."""
        del dequantization_beta
        return cls(schema.num_classes, spatial_shape, bool(schema.unknown_ids))

    def encode(
        self, key: Key[Array, ""], labels: Integer[Array, "*labels"]
    ) -> Float[Array, "... {self.num_classes}"]:
        """Returns the clean codes, since a categorical output needs no noise."""
        del key
        return self.encode_clean(labels)

    def encode_clean(
        self, labels: Integer[Array, "*labels"]
    ) -> Float[Array, "... {self.num_classes}"]:
        """Float32 `[..., *spatial_shape, classes]`, 1 or -1, of int `[...]`."""
        return self.mean_code(jax.nn.one_hot(labels, self.num_classes))

    def mean_code(
        self, probabilities: Float[Array, "... {self.num_classes}"]
    ) -> Float[Array, "... {self.num_classes}"]:
        """The expected code `[..., *spatial_shape, classes]` of probabilities `[..., classes]`."""
        return broadcast_over_plane(2.0 * probabilities - 1.0, self.spatial_shape)

    def probabilities(
        self, signal: Float[Array, "... {self.num_classes}"]
    ) -> Float[Array, "... {self.num_classes}"]:
        """Float32 `[..., classes]` that add up to 1; the inverse of `mean_code`.

        They are read from the mean over the plane; negative values count as 0.
        """
        weights = 0.5 * (mean_over_plane(signal, self.spatial_shape) + 1.0)
        weights = jnp.maximum(weights, 1e-6)
        return weights / jnp.sum(weights, axis=-1, keepdims=True)

    def decode(self, signal: Float[Array, "... {self.num_classes}"]) -> Int[Array, "..."]:
        """The most probable class, int32 `[...]`; ties go to the first class."""
        mean = mean_over_plane(signal, self.spatial_shape)
        return jnp.argmax(mean, axis=-1).astype(jnp.int32)

    def confidence(
        self, signal: Float[Array, "... {self.num_classes}"], labels: Integer[Array, "*labels"]
    ) -> Float[Array, "*labels"]:
        """The probability of labels int `[...]`."""
        probabilities = self.probabilities(signal)
        return jnp.take_along_axis(probabilities, labels[..., None], axis=-1)[..., 0]

    def signal_shape(self, image_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the signal beside an image or a point."""
        return (*image_shape[:-1], self.num_classes)
