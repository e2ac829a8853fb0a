"""Semantics as continuous signals: encodings of masks and labels, and their decoders."""

import dataclasses
from typing import Protocol

import jax
import jax.numpy as jnp

from symmflow_jax.palettes import Palette

_HALF_RANGE = 127.5  # Half of the 8-bit range: maps 0..255 onto [-1, 1].


class Encoding(Protocol):
    """What turns labels into a continuous signal and back.

    `encode` dequantises with the key; `encode_clean` gives the codes themselves. Both take
    int arrays `[...]`, and `decode` inverts them from float `[..., *signal]`.
    """

    def encode(self, key: jax.Array, labels: jax.Array) -> jax.Array: ...

    def encode_clean(self, labels: jax.Array) -> jax.Array: ...

    def decode(self, signal: jax.Array) -> jax.Array: ...

    def signal_shape(self, image_shape: tuple[int, ...]) -> tuple[int, ...]: ...


class ClassEncoding(Encoding, Protocol):
    """An encoding of one label for the whole image, with a continuous read-out."""

    def read_out(self, signal: jax.Array) -> jax.Array: ...

    def distances(self, signal: jax.Array) -> jax.Array: ...


@dataclasses.dataclass(frozen=True)
class PaletteMask:
    """A semantic mask as a picture in the colours of a palette (arXiv 2506.10634, section 4).

    Attributes:
        palette: colour of each class.
        dequantization_beta: width of the uniform noise, in 8-bit levels.
    """

    palette: Palette
    dequantization_beta: float

    def encode(self, key: jax.Array, labels: jax.Array) -> jax.Array:
        """Float32 `[..., height, width, 3]` in about [-1, 1] of int `[..., height, width]`."""
        clean = self.encode_clean(labels)
        return clean + uniform_noise(key, clean.shape, self.dequantization_beta / _HALF_RANGE)

    def encode_clean(self, labels: jax.Array) -> jax.Array:
        """The colours themselves, in [-1, 1]."""
        return (jnp.asarray(self.palette, jnp.float32) / _HALF_RANGE - 1.0)[labels]

    def decode(self, signal: jax.Array) -> jax.Array:
        """The class of the nearest colour, int32 `[..., height, width]`; the first one in a tie.

        Colours are compared one by one, so that memory does not grow with their number.
        """
        colours = jnp.asarray(self.palette, jnp.float32) / _HALF_RANGE - 1.0

        def compare(nearest, candidate):
            distance, label = nearest
            colour, index = candidate
            candidate_distance = jnp.sum(
                jnp.square(signal - _with_ndim(colour, signal.ndim)), axis=-1
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

    def signal_shape(self, image_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the signal beside an image `[height, width, channels]`."""
        return (*image_shape[:-1], 3)


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

    def encode(self, key: jax.Array, labels: jax.Array) -> jax.Array:
        """Float32 `[..., *spatial_shape, 1]` of int `[...]`, with noise of half a spacing."""
        clean = self.encode_clean(labels)
        width = 0.5 * self.dequantization_beta / (self.num_classes - 1)
        return clean + uniform_noise(key, clean.shape, width)

    def encode_clean(self, labels: jax.Array) -> jax.Array:
        """The constant planes without noise."""
        half = 0.5 * self.dequantization_beta
        values = half * (2.0 * labels.astype(jnp.float32) / (self.num_classes - 1) - 1.0)
        return _broadcast_over_plane(values[..., None], self.spatial_shape)

    def read_out(self, signal: jax.Array) -> jax.Array:
        """The mean of the plane in units of labels, float32 `[...]`."""
        half = 0.5 * self.dequantization_beta
        mean = _mean_over_plane(signal, self.spatial_shape)[..., 0]
        return (mean / half + 1.0) * 0.5 * (self.num_classes - 1)

    def distances(self, signal: jax.Array) -> jax.Array:
        """How far the read-out is from each label, in units of labels, `[..., num_classes]`."""
        read_out = self.read_out(signal)[..., None]
        labels = jnp.arange(self.num_classes, dtype=jnp.float32)
        return jnp.abs(read_out - _with_ndim(labels, read_out.ndim))

    def decode(self, signal: jax.Array) -> jax.Array:
        """The read-out rounded and clipped to the classes, int32 `[...]`."""
        rounded = jnp.round(self.read_out(signal)).astype(jnp.int32)
        return jnp.clip(rounded, 0, self.num_classes - 1)

    def signal_shape(self, image_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the signal, whatever the image's channels."""
        del image_shape
        return (*self.spatial_shape, 1)


@dataclasses.dataclass(frozen=True)
class ClassColour:
    """A class label as a plane of one constant colour (MedSymmFlow, arXiv 2507.19098).

    Attributes:
        palette: colour of each class.
        spatial_shape: `(height, width)` of the plane; empty for points.
        dequantization_beta: width of the uniform noise, in 8-bit levels.
    """

    palette: Palette
    spatial_shape: tuple[int, ...]
    dequantization_beta: float

    def encode(self, key: jax.Array, labels: jax.Array) -> jax.Array:
        """Float32 `[..., *spatial_shape, 3]` in about [-1, 1] of int `[...]`."""
        clean = self.encode_clean(labels)
        return clean + uniform_noise(key, clean.shape, self.dequantization_beta / _HALF_RANGE)

    def encode_clean(self, labels: jax.Array) -> jax.Array:
        """The constant colours without noise."""
        colours = jnp.asarray(self.palette, jnp.float32) / _HALF_RANGE - 1.0
        return _broadcast_over_plane(colours[labels], self.spatial_shape)

    def read_out(self, signal: jax.Array) -> jax.Array:
        """The mean colour of the plane in 8-bit levels, float32 `[..., 3]`."""
        return (_mean_over_plane(signal, self.spatial_shape) + 1.0) * _HALF_RANGE

    def distances(self, signal: jax.Array) -> jax.Array:
        """How far the mean colour is from each class's, in 8-bit levels, `[..., classes]`."""
        colours = jnp.asarray(self.palette, jnp.float32)
        read_out = self.read_out(signal)[..., None, :]
        return jnp.linalg.norm(read_out - _with_ndim(colours, read_out.ndim), axis=-1)

    def decode(self, signal: jax.Array) -> jax.Array:
        """The class of the colour nearest to the mean, int32 `[...]`."""
        return jnp.argmin(self.distances(signal), axis=-1).astype(jnp.int32)

    def signal_shape(self, image_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the signal, whatever the image's channels."""
        del image_shape
        return (*self.spatial_shape, 3)


def uniform_noise(key: jax.Array, shape: tuple[int, ...], width: float) -> jax.Array:
    """Float32 noise, uniform over an interval of `width` around zero."""
    return width * (jax.random.uniform(key, shape) - 0.5)


def _broadcast_over_plane(codes: jax.Array, spatial_shape: tuple[int, ...]) -> jax.Array:
    """Codes `[..., channels]` repeated to `[..., *spatial_shape, channels]`."""
    leading, channels = codes.shape[:-1], codes.shape[-1]
    codes = jnp.reshape(codes, (*leading, *(1 for _ in spatial_shape), channels))
    return jnp.broadcast_to(codes, (*leading, *spatial_shape, channels))


def _mean_over_plane(signal: jax.Array, spatial_shape: tuple[int, ...]) -> jax.Array:
    axes = tuple(range(signal.ndim - 1 - len(spatial_shape), signal.ndim - 1))
    return jnp.mean(signal, axis=axes)


def _with_ndim(codes: jax.Array, ndim: int) -> jax.Array:
    """Codes with as many leading axes of 1 as make `ndim` axes: broadcasting is never silent."""
    return jnp.reshape(codes, (1,) * (ndim - codes.ndim) + codes.shape)
