"""A class label as a plane of one constant value or colour."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Integer, Key

from symmflow_jax.semantics import palettes
from symmflow_jax.semantics.encoding import nearness
from symmflow_jax.semantics.labels import LabelSchema
from symmflow_jax.semantics.palettes import Palette
from symmflow_jax.semantics.planes import (
    HALF_RANGE,
    broadcast_over_plane,
    mean_over_plane,
    uniform_noise,
    with_ndim,
)


@dataclasses.dataclass(frozen=True)
class ClassPlane:
    """A class label as a plane of one constant value (arXiv 2506.10634, section 4).

    Class k of n has the value `(beta / 2) (2 k / (n - 1) - 1)`.

    Attributes:
        num_classes: n, at least 2.
        spatial_shape: `(height, width)` of the plane; empty for points.
        dequantization_beta: distance of the first and the last value.
    """

    num_classes: int
    spatial_shape: tuple[int, ...]
    dequantization_beta: float

    @classmethod
    def of_classes(
        cls, schema: LabelSchema, spatial_shape: tuple[int, ...], dequantization_beta: float
    ) -> "ClassPlane":
        """The encoding of a schema's classes; see `Encoding.of_classes`."""
        return cls(schema.num_classes, spatial_shape, dequantization_beta)

    def encode(
        self, key: Key[Array, ""], labels: Integer[Array, "*labels"]
    ) -> Float[Array, "... 1"]:
        """Float32 `[..., *spatial_shape, 1]` of int `[...]`, with noise of half a spacing."""
        clean = self.encode_clean(labels)
        return clean + uniform_noise(key, clean.shape, self.noise_width)

    @property
    def noise_width(self) -> float:
        """Width of the noise of each entry, half the distance of two codes."""
        return 0.5 * self.dequantization_beta / (self.num_classes - 1)

    def encode_clean(self, labels: Integer[Array, "*labels"]) -> Float[Array, "... 1"]:
        """The constant planes without noise."""
        half = 0.5 * self.dequantization_beta
        values = half * (2.0 * labels.astype(jnp.float32) / (self.num_classes - 1) - 1.0)
        return broadcast_over_plane(values[..., None], self.spatial_shape)

    def decode_continuous(self, signal: Float[Array, "... 1"]) -> Float[Array, "..."]:
        """The mean of the plane in units of labels, float32 `[...]`."""
        half = 0.5 * self.dequantization_beta
        mean = mean_over_plane(signal, self.spatial_shape)[..., 0]
        return (mean / half + 1.0) * 0.5 * (self.num_classes - 1)

    def distances(self, signal: Float[Array, "... 1"]) -> Float[Array, "... {self.num_classes}"]:
        """The distance of the read-out from each label, in units of labels, `[..., classes]`."""
        decode_continuous = self.decode_continuous(signal)[..., None]
        labels = jnp.arange(self.num_classes, dtype=jnp.float32)
        return jnp.abs(decode_continuous - with_ndim(labels, decode_continuous.ndim))

    def decode(self, signal: Float[Array, "... 1"]) -> Int[Array, "..."]:
        """The read-out rounded and clipped to the classes, int32 `[...]`."""
        rounded = jnp.round(self.decode_continuous(signal)).astype(jnp.int32)
        return jnp.clip(rounded, 0, self.num_classes - 1)

    def confidence(
        self, signal: Float[Array, "... 1"], labels: Integer[Array, "*labels"]
    ) -> Float[Array, "*labels"]:
        """Confidence in labels int `[...]`, float32 in [0, 1]; see `nearness`."""
        return _confidence(self.distances(signal), labels)

    def signal_shape(self, image_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the signal, for any image channels."""
        del image_shape
        return (*self.spatial_shape, 1)


@dataclasses.dataclass(frozen=True)
class ClassColour:
    """A class label as a plane of one constant colour (MedSymmFlow, arXiv 2507.19098).

    A plane is read as the published code reads it: the class whose colour has the least mean
    distance over the pixels. A few wrong pixels count less there than in the distance of the mean
    colour, which is the same for a constant plane.

    Attributes:
        palette: colour of each class.
        spatial_shape: `(height, width)` of the plane; empty for points.
        dequantization_beta: width of the uniform noise, in 8-bit levels.
    """

    palette: Palette
    spatial_shape: tuple[int, ...]
    dequantization_beta: float

    @classmethod
    def of_classes(
        cls, schema: LabelSchema, spatial_shape: tuple[int, ...], dequantization_beta: float
    ) -> "ClassColour":
        """The encoding of a schema's classes; see `Encoding.of_classes`."""
        colours = schema.label_colours or palettes.label_colours(schema.num_classes)
        return cls(colours, spatial_shape, dequantization_beta)

    def encode(
        self, key: Key[Array, ""], labels: Integer[Array, "*labels"]
    ) -> Float[Array, "... 3"]:
        """Float32 `[..., *spatial_shape, 3]` in about [-1, 1] of int `[...]`."""
        clean = self.encode_clean(labels)
        return clean + uniform_noise(key, clean.shape, self.noise_width)

    @property
    def noise_width(self) -> float:
        """Width of the noise of each entry, in units of the signal."""
        return self.dequantization_beta / HALF_RANGE

    def encode_clean(self, labels: Integer[Array, "*labels"]) -> Float[Array, "... 3"]:
        """The constant colours without noise."""
        colours = jnp.asarray(self.palette, jnp.float32) / HALF_RANGE - 1.0
        return broadcast_over_plane(colours[labels], self.spatial_shape)

    def decode_continuous(self, signal: Float[Array, "... 3"]) -> Float[Array, "... 3"]:
        """The mean colour of the plane in 8-bit levels, float32 `[..., 3]`."""
        return (mean_over_plane(signal, self.spatial_shape) + 1.0) * HALF_RANGE

    def distances(self, signal: Float[Array, "... 3"]) -> Float[Array, "... {len(self.palette)}"]:
        """The mean distance of pixels from the colour of each class, in 8-bit levels."""
        of_pixels = self._distances((signal + 1.0) * HALF_RANGE)
        return mean_over_plane(of_pixels, self.spatial_shape)

    def decode(self, signal: Float[Array, "... 3"]) -> Int[Array, "..."]:
        """The class of the least mean distance, int32 `[...]`; ties go to the first."""
        return jnp.argmin(self.distances(signal), axis=-1).astype(jnp.int32)

    def confidence(
        self, signal: Float[Array, "... 3"], labels: Integer[Array, "*labels"]
    ) -> Float[Array, "*labels"]:
        """Confidence in labels int `[...]`, float32 in [0, 1]; see `nearness`.

        It is that of the mean colour, because only this estimates the posterior mean of the code.
        """
        return _confidence(self._distances(self.decode_continuous(signal)), labels)

    def _distances(self, levels: Float[Array, "... 3"]) -> Float[Array, "... {len(self.palette)}"]:
        """The distances of colours in 8-bit levels from that of each class, `[..., classes]`."""
        colours = jnp.asarray(self.palette, jnp.float32)
        differences = levels[..., None, :] - with_ndim(colours, levels.ndim + 1)
        return jnp.linalg.norm(differences, axis=-1)

    def signal_shape(self, image_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the signal, for any image channels."""
        del image_shape
        return (*self.spatial_shape, 3)


def _confidence(
    distances: Float[Array, "*labels classes"], labels: Integer[Array, "*labels"]
) -> Float[Array, "*labels"]:
    """The nearness of labels `[...]` by the distances to all of them, `[..., classes]`."""
    own = jnp.take_along_axis(distances, labels[..., None], axis=-1)[..., 0]
    is_own = jax.nn.one_hot(labels, distances.shape[-1], dtype=bool)
    return nearness(own, jnp.min(jnp.where(is_own, jnp.inf, distances), axis=-1))
