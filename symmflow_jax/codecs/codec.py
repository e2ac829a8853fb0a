"""The interface of codecs."""

from typing import Any, Protocol

import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from symmflow_jax.data.batch import Images
from symmflow_jax.flow.shapes import ExampleKeys, Image, Labels, Semantics
from symmflow_jax.flow.state import JointState
from symmflow_jax.semantics.encoding import Encoding


class Codec(Protocol):
    """A conversion of batches of images and labels into the state of the flow, and back.

    `weights` are those of the codec's own network, which training does not change, or None without
    a network. Keys are `[batch]`, so that an example's result does not depend on its batch.
    """

    @property
    def encoding(self) -> Encoding:
        """The encoding of labels as a continuous signal."""

    @property
    def image_shape(self) -> tuple[int, ...]:
        """`(height, width, channels)` of the images, or `(n,)` for points."""

    @property
    def shapes(self) -> JointState:
        """Shapes of the image and of the semantics of one example, in the flow."""

    @property
    def bin_widths(self) -> JointState | None:
        """Width of the noise that spreads a discrete value of each component in the flow.

        It is 1 for points, which are continuous, and 0 for codes without noise. None for latents,
        whose images and semantics have no density.
        """

    @property
    def dtype(self) -> jnp.dtype:
        """The dtype that the codec's own network computes with."""

    def resized(self, height: int, width: int) -> "Codec":
        """The same codec of images and masks of another size in pixels."""

    def init(self, key: Key[Array, ""]) -> Any:
        """Random weights of the codec's network, or None without a network."""

    def encode_image(
        self, weights: Any, example_keys: ExampleKeys, image: Images, *, train: bool
    ) -> Image:
        """Converts images to those of the flow, float `[batch, ...]`; dequantised in training only.

        Raises:
            TypeError: if the codec takes no images of this type.
        """

    def encode_semantics(
        self, weights: Any, example_keys: ExampleKeys, labels: Labels
    ) -> Semantics:
        """Converts labels int `[batch, ...]` to semantics of the flow, float, dequantised."""

    def decode_image(self, weights: Any, image: Image) -> Float[Array, " batch *signal"]:
        """Converts images of the flow to signals in about [-1, 1], `[batch, *image_shape]`."""

    def decode_semantics(
        self, weights: Any, semantics: Semantics
    ) -> Float[Array, " batch *signal"]:
        """Converts semantics of the flow to signals for `encoding.decode`."""
