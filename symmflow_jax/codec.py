"""Codecs: from pixels and labels to the state that the flow moves, and back."""

import dataclasses
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from symmflow_jax import images
from symmflow_jax.flow.state import JointState
from symmflow_jax.semantics.encoding import Encoding


class Codec(Protocol):
    """What the flow works on, for a batch at a time.

    `weights` are those of the codec's own network, which training leaves as they are; None
    where it has none. Keys are `[batch]`: what becomes of an example is its own.
    """

    @property
    def encoding(self) -> Encoding:
        """Labels to a continuous signal, and back."""

    @property
    def image_shape(self) -> tuple[int, ...]:
        """`(height, width, channels)` of the images, or `(n,)` for points."""

    @property
    def shapes(self) -> JointState:
        """Shapes of the image and of the semantics of one example, as the flow has them."""

    @property
    def dtype(self) -> jnp.dtype:
        """The dtype that the codec's own network computes with."""

    def init(self, key: jax.Array) -> Any:
        """Random weights of the codec's network, or None where it has none."""

    def encode_image(
        self, weights: Any, example_keys: jax.Array, pixels: jax.Array, *, train: bool
    ) -> jax.Array:
        """Float images of the flow, of uint8 `[batch, *image_shape]` or float points.

        In training they may be dequantised.
        """

    def encode_semantics(
        self, weights: Any, example_keys: jax.Array, labels: jax.Array
    ) -> jax.Array:
        """Float semantics of the flow, dequantised, of int `[batch, ...]`."""

    def decode_image(self, weights: Any, image: jax.Array) -> jax.Array:
        """Images of the flow as signals in about [-1, 1], `[batch, *image_shape]`."""

    def decode_semantics(self, weights: Any, semantics: jax.Array) -> jax.Array:
        """Semantics of the flow as signals that the encoding decodes."""


@dataclasses.dataclass(frozen=True)
class PixelCodec:
    """The flow moves the pixels themselves, and the continuous signal of the labels.

    Attributes:
        encoding: labels to a continuous signal, and back.
        image_shape: `(height, width, channels)`, or `(n,)` for points.
        dequantize_images: whether training adds half an 8-bit level of noise to images.
        semantics_amplitude: factor of the encoding's signals in the flow.
    """

    encoding: Encoding
    image_shape: tuple[int, ...]
    dequantize_images: bool = False
    semantics_amplitude: float = 1.0

    @property
    def shapes(self) -> JointState:
        """Shapes of one image and of the continuous semantics beside it."""
        return JointState(self.image_shape, self.encoding.signal_shape(self.image_shape))

    @property
    def dtype(self) -> jnp.dtype:
        """Float32; there is no network."""
        return jnp.dtype(jnp.float32)

    def init(self, key: jax.Array) -> None:
        """There is no network."""
        del key

    def encode_image(
        self, weights: None, example_keys: jax.Array, pixels: jax.Array, *, train: bool
    ) -> jax.Array:
        """Signals in [-1, 1] of pixels, or points as they are."""
        del weights
        signal = images.to_signal(pixels)
        if train and self.dequantize_images:
            return jax.vmap(images.dequantize)(example_keys, signal)
        return signal

    def encode_semantics(
        self, weights: None, example_keys: jax.Array, labels: jax.Array
    ) -> jax.Array:
        """The encoding's signals, amplified."""
        del weights
        return self.semantics_amplitude * jax.vmap(self.encoding.encode)(example_keys, labels)

    def decode_image(self, weights: None, image: jax.Array) -> jax.Array:
        """The image itself."""
        del weights
        return image

    def decode_semantics(self, weights: None, semantics: jax.Array) -> jax.Array:
        """The semantics as the encoding has them."""
        del weights
        return semantics / self.semantics_amplitude
