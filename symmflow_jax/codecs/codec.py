"""What a codec is."""

from typing import Any, Protocol

import jax
import jax.numpy as jnp

from symmflow_jax.data.batch import Images
from symmflow_jax.flow.state import JointState
from symmflow_jax.semantics.encoding import Encoding


class Codec(Protocol):
    """From images and labels to the state that the flow moves, and back, a batch at a time.

    `weights` are those of the codec's own network, which training leaves as they are; None if it
    has none. Keys are `[batch]`: what becomes of an example is its own.
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
        """Random weights of the codec's network, or None if it has none."""

    def encode_image(
        self, weights: Any, example_keys: jax.Array, image: Images, *, train: bool
    ) -> jax.Array:
        """Float images of the flow; in training they may be dequantised.

        Raises:
            TypeError: if the codec takes no images of this type.
        """

    def encode_semantics(
        self, weights: Any, example_keys: jax.Array, labels: jax.Array
    ) -> jax.Array:
        """Float semantics of the flow, dequantised, of int `[batch, ...]`."""

    def decode_image(self, weights: Any, image: jax.Array) -> jax.Array:
        """Images of the flow as signals in about [-1, 1], `[batch, *image_shape]`."""

    def decode_semantics(self, weights: Any, semantics: jax.Array) -> jax.Array:
        """Semantics of the flow as signals that the encoding decodes."""
