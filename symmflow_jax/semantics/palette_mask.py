"""Masks as pictures in the colours of a palette."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Integer, Key

from symmflow_jax.flow import keys
from symmflow_jax.flow.keys import Stream
from symmflow_jax.semantics.encoding import nearness
from symmflow_jax.semantics.labels import LabelSchema
from symmflow_jax.semantics.palettes import Palette
from symmflow_jax.semantics.planes import HALF_RANGE, uniform_noise, with_ndim


@dataclasses.dataclass(frozen=True)
class PaletteMask:
    """A semantic mask as a picture in the colours of a palette (arXiv 2506.10634, section 4).

    Attributes:
        palette: colour of each class.
        dequantization_beta: width of the uniform noise, in 8-bit levels.
        has_unknown: whether pixels may be unknown, -1. These are noise, as at t = 1, since every
            colour may be near to that of a class.
    """

    palette: Palette
    dequantization_beta: float
    has_unknown: bool = False

    @classmethod
    def of_classes(
        cls, schema: LabelSchema, spatial_shape: tuple[int, ...], dequantization_beta: float
    ) -> "PaletteMask":
        """The encoding of a schema's classes; see `Encoding.of_classes`."""
        del spatial_shape
        return cls(schema.palette, dequantization_beta, bool(schema.unknown_ids))

    def encode(
        self, key: Key[Array, ""], labels: Integer[Array, "*labels"]
    ) -> Float[Array, "*labels 3"]:
        """Float32 `[..., height, width, 3]` in about [-1, 1] of int `[..., height, width]`."""
        clean = self.encode_clean(labels)
        if not self.has_unknown:
            return clean + uniform_noise(key, clean.shape, self.noise_width)
        dequantization_key = keys.stream(key, Stream.DEQUANTIZATION)
        coloured = clean + uniform_noise(dequantization_key, clean.shape, self.noise_width)
        noise = jax.random.normal(keys.stream(key, Stream.UNKNOWN_PIXELS), clean.shape)
        return jnp.where((labels >= 0)[..., None], coloured, noise)

    @property
    def noise_width(self) -> float:
        """Width of the noise of each entry, in units of the signal."""
        return self.dequantization_beta / HALF_RANGE

    def encode_clean(self, labels: Integer[Array, "*labels"]) -> Float[Array, "*labels 3"]:
        """The colours without noise, float32 `[..., height, width, 3]` in [-1, 1].

        Unknown pixels are grey, 0.
        """
        colours = (jnp.asarray(self.palette, jnp.float32) / HALF_RANGE - 1.0)[labels]
        return jnp.where((labels >= 0)[..., None], colours, 0.0) if self.has_unknown else colours

    def decode(self, signal: Float[Array, "*labels 3"]) -> Int[Array, "*labels"]:
        """The class of the nearest colour, int32 `[..., height, width]`; ties go to the first.

        A scan compares the colours one by one, so that memory does not grow with their number.
        """
        colours = jnp.asarray(self.palette, jnp.float32) / HALF_RANGE - 1.0

        def compare(nearest, candidate):
            distance, label = nearest
            colour, index = candidate
            candidate_distance = jnp.sum(
                jnp.square(signal - with_ndim(colour, signal.ndim)), axis=-1
            )
            closer = candidate_distance < distance
            nearest = (
                jnp.where(closer, candidate_distance, distance),
                jnp.where(closer, index, label),
            )
            return nearest, None

        shape = signal.shape[:-1]
        start = (jnp.full(shape, jnp.inf, jnp.float32), jnp.zeros(shape, jnp.int32))
        indices = jnp.arange(len(self.palette), dtype=jnp.int32)
        (_, labels), _ = jax.lax.scan(compare, start, (colours, indices))
        return labels

    def confidence(
        self, signal: Float[Array, "*labels 3"], labels: Integer[Array, "*labels"]
    ) -> Float[Array, "*labels"]:
        """Confidence in labels int `[..., height, width]`, float32 in [0, 1]; see `nearness`."""
        colours = jnp.asarray(self.palette, jnp.float32) / HALF_RANGE - 1.0

        def compare(nearest, candidate):
            colour, index = candidate
            distance = jnp.linalg.norm(signal - with_ndim(colour, signal.ndim), axis=-1)
            return jnp.where(labels == index, nearest, jnp.minimum(nearest, distance)), None

        start = jnp.full(labels.shape, jnp.inf, jnp.float32)
        indices = jnp.arange(len(self.palette), dtype=jnp.int32)
        nearest_other, _ = jax.lax.scan(compare, start, (colours, indices))
        return nearness(jnp.linalg.norm(signal - colours[labels], axis=-1), nearest_other)

    def signal_shape(self, image_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the signal beside an image `[height, width, channels]`."""
        return (*image_shape[:-1], 3)
