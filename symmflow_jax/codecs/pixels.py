"""The pixel codec: a flow of the images themselves."""

import dataclasses

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from symmflow_jax.codecs import images
from symmflow_jax.data.batch import Images, Moments, Pixels
from symmflow_jax.flow.shapes import Component, ExampleKeys, Labels
from symmflow_jax.flow.state import JointState
from symmflow_jax.semantics.encoding import DequantizedEncoding, Encoding
from symmflow_jax.semantics.planes import HALF_RANGE


@dataclasses.dataclass(frozen=True)
class PixelCodec:
    """A codec of pixels or points, and of the continuous signal of the labels.

    Attributes:
        encoding: labels to a continuous signal, and back.
        image_shape: `(height, width, channels)`, or `(n,)` for points.
        dequantize_images: whether training adds half an 8-bit level of noise to images.
        label_scale: factor of the encoding's signals in the flow.
    """

    encoding: Encoding
    image_shape: tuple[int, ...]
    dequantize_images: bool = False
    label_scale: float = 1.0

    @property
    def shapes(self) -> JointState:
        """Shapes of one image and of the continuous semantics beside it."""
        return JointState(self.image_shape, self.encoding.signal_shape(self.image_shape))

    @property
    def bin_widths(self) -> JointState:
        """An 8-bit level, or 1 for points; and the noise of the codes, or 0 without noise."""
        encoding, is_picture = self.encoding, len(self.image_shape) == 3
        noise = encoding.noise_width if isinstance(encoding, DequantizedEncoding) else 0.0
        return JointState(1.0 / HALF_RANGE if is_picture else 1.0, self.label_scale * noise)

    @property
    def dtype(self) -> jnp.dtype:
        """Float32, since there is no network."""
        return jnp.dtype(jnp.float32)

    def resized(self, height: int, width: int) -> "PixelCodec":
        """The same codec of images and masks of another size."""
        return dataclasses.replace(self, image_shape=(height, width, self.image_shape[-1]))

    def init(self, key: Key[Array, ""]) -> None:
        """Returns None, since there is no network."""
        del key

    def encode_image(
        self, weights: None, example_keys: ExampleKeys, image: Images, *, train: bool
    ) -> Component:
        """Signals in [-1, 1] of pixels; signals and points do not change.

        Raises:
            TypeError: if the images are moments of latents.
        """
        del weights
        if isinstance(image, Moments):
            raise TypeError("Moments are of latents, but this codec has no autoencoder.")
        signal = images.to_signal(image.values) if isinstance(image, Pixels) else image.values
        if train and self.dequantize_images:
            return jax.vmap(images.dequantize)(example_keys, signal)
        return jnp.asarray(signal, jnp.float32)

    def encode_semantics(
        self, weights: None, example_keys: ExampleKeys, labels: Labels
    ) -> Component:
        """The encoding's signals, scaled."""
        del weights
        return self.label_scale * jax.vmap(self.encoding.encode)(example_keys, labels)

    def decode_image(self, weights: None, image: Component) -> Component:
        """Returns the image without any change."""
        del weights
        return image

    def decode_semantics(self, weights: None, semantics: Component) -> Component:
        """The semantics at the encoding's own scale."""
        del weights
        return semantics / self.label_scale
