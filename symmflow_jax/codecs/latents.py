"""The latent codec: a flow of the latents of an autoencoder, as in latent diffusion."""

import dataclasses
from typing import Any, cast

import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from symmflow_jax.codecs.codec import Codec
from symmflow_jax.codecs.pixels import PixelCodec
from symmflow_jax.data.batch import Images, Moments
from symmflow_jax.flow import keys
from symmflow_jax.flow.keys import Stream
from symmflow_jax.flow.shapes import ExampleKeys, Grid, Labels
from symmflow_jax.flow.state import JointState
from symmflow_jax.networks.autoencoder import Autoencoder, Latents, Posterior
from symmflow_jax.semantics.encoding import Encoding


@dataclasses.dataclass(frozen=True)
class LatentCodec:
    """Images and pictures of labels as latents of one autoencoder (arXiv 2506.10634, section 4).

    An image becomes a sample of its posterior. The dequantised picture of a mask, or of a class
    label as one colour (arXiv 2507.19098), becomes the mode of its posterior. Both are scaled to
    about unit variance.

    The weights are a dictionary with the autoencoder's "encoder" and "decoder" and perhaps a
    "mask_decoder", a decoder for mask pictures alone.

    Attributes:
        pixels: images and labels to signals, and back; both of the autoencoder's channels.
        autoencoder: images to latents, and back.
        latent_scale: factor of the latents in the flow.
    """

    pixels: PixelCodec
    autoencoder: Autoencoder
    latent_scale: float

    @property
    def encoding(self) -> Encoding:
        """Labels to a picture, and back."""
        return self.pixels.encoding

    @property
    def image_shape(self) -> tuple[int, ...]:
        """`(height, width, channels)` of the images."""
        return self.pixels.image_shape

    @property
    def shapes(self) -> JointState:
        """The shape of the latents, for both components."""
        shape = (*self.moments_shape[:-1], self.autoencoder.latent_channels)
        return JointState(shape, shape)

    @property
    def bin_widths(self) -> None:
        """None, since the autoencoder's decoder gives no density."""

    @property
    def dtype(self) -> jnp.dtype:
        """The computation dtype of the autoencoder."""
        return jnp.dtype(self.autoencoder.dtype)

    @property
    def moments_shape(self) -> tuple[int, int, int]:
        """Shape of the mean and log variance of one image's posterior, side by side."""
        height, width, _ = self.image_shape
        rate = self.autoencoder.rate
        return height // rate, width // rate, 2 * self.autoencoder.latent_channels

    def resized(self, height: int, width: int) -> "LatentCodec":
        """The same codec of images and masks of another size in pixels."""
        return dataclasses.replace(self, pixels=self.pixels.resized(height, width))

    def init(self, key: Key[Array, ""]) -> dict[str, Any]:
        """Random weights, shaped as the published weights."""
        images = jnp.zeros((1, *self.image_shape))
        return dict(self.autoencoder.init(key, images)["params"])

    def moments(
        self, weights: dict[str, Any], signal: Grid
    ) -> Float[Array, "batch latent_height latent_width moments"]:
        """Mean and log variance of latents, float32 `[batch, *moments_shape]`, not scaled.

        Args:
            weights: see the class.
            signal: float `[batch, *image_shape]` in about [-1, 1].
        """
        return jnp.concatenate(self._posterior(weights, signal), axis=-1)

    def encode_image(
        self, weights: dict[str, Any], example_keys: ExampleKeys, image: Images, *, train: bool
    ) -> Latents:
        """Samples of the images' posteriors, float32 `[batch, latent height, latent width, n]`.

        Args:
            weights: see the class.
            example_keys: `[batch]`.
            image: pixels, signals or moments.
            train: whether pixels may be dequantised; moments stay as they are.
        """
        if isinstance(image, Moments):
            moments = jnp.asarray(image.values, jnp.float32)
            posterior = Posterior(*jnp.split(moments, 2, axis=-1))
        else:
            dequantization_keys = keys.stream(example_keys, Stream.DEQUANTIZATION)
            signal = self.pixels.encode_image(None, dequantization_keys, image, train=train)
            posterior = self._posterior(weights, signal)
        noise = keys.normal(keys.stream(example_keys, Stream.POSTERIOR), posterior.mean.shape[1:])
        return self.latent_scale * posterior.sample(noise)

    def encode_semantics(
        self, weights: dict[str, Any], example_keys: ExampleKeys, labels: Labels
    ) -> Latents:
        """Modes of the posteriors of dequantised pictures of labels."""
        signal = self.pixels.encode_semantics(None, example_keys, labels)
        return self.latent_scale * self._posterior(weights, signal).mean

    def decode_image(self, weights: dict[str, Any], image: Latents) -> Grid:
        """Images of latents, in about [-1, 1]."""
        return self._decode(weights["decoder"], image)

    def decode_semantics(self, weights: dict[str, Any], semantics: Latents) -> Grid:
        """Pictures of latents, from the decoder for masks if there is one."""
        decoder = weights["mask_decoder" if mask_decoder(weights) == "own" else "decoder"]
        return self._decode(decoder, semantics)

    def _posterior(self, weights: dict[str, Any], signal: Grid) -> Posterior:
        params = {"encoder": weights["encoder"]}
        return cast(Posterior, self.autoencoder.apply({"params": params}, signal, method="encode"))

    def _decode(self, decoder: Any, latents: Latents) -> Grid:
        latents = latents / self.latent_scale
        pictures = self.autoencoder.apply(
            {"params": {"decoder": decoder}}, latents, method="decode"
        )
        return jnp.asarray(pictures)


def mask_decoder(weights: dict[str, Any]) -> str:
    """The decoder of masks' latents: "own", for masks alone, or that of "images"."""
    return "own" if "mask_decoder" in weights else "images"


def require_latents(codec: Codec, mode: str) -> LatentCodec:
    """Returns the codec if it has an autoencoder.

    Args:
        codec: any codec.
        mode: the name of the caller's mode, for the message.

    Raises:
        ValueError: if the flow moves pixels.
    """
    if not isinstance(codec, LatentCodec):
        raise ValueError(
            f"{mode} needs an autoencoder; name its file or folder with config.autoencoder.weights."
        )
    return codec
