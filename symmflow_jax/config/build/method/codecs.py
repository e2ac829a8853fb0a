"""Construction of the codec between pixels and the flow, and of its weights."""

import pathlib
from typing import Any

import jax.numpy as jnp

from symmflow_jax.codecs import autoencoder_weights
from symmflow_jax.codecs.codec import Codec
from symmflow_jax.codecs.latents import LatentCodec
from symmflow_jax.codecs.pixels import PixelCodec
from symmflow_jax.config.build.data.sources import kind_of
from symmflow_jax.config.build.method.semantics import ENCODINGS, make_encoding
from symmflow_jax.config.choices import listed
from symmflow_jax.config.values import AutoencoderConfig, Config
from symmflow_jax.networks.autoencoder import Autoencoder
from symmflow_jax.runtime import processes
from symmflow_jax.semantics.encoding import Encoding
from symmflow_jax.semantics.labels import LabelSchema


def make_codec(config: Config, schema: LabelSchema) -> Codec:
    """Makes a pixel codec, or a latent codec if the config has an autoencoder.

    Raises:
        ValueError: if the encoding has too many classes, or if images, semantics or `label_scale`
            do not fit the autoencoder.
    """
    channels, kind = config.data.image_channels, kind_of(config)
    points = (config.data.point_size,)
    image_shape = (*config.data.image_size, channels) if config.data.image_size else points
    encoding = make_encoding(config, schema, kind)
    if schema.unknown_ids:
        _check_unknown(config, encoding)
    pixels = PixelCodec(
        encoding,
        image_shape,
        config.data.dequantize_images,
        config.semantics.label_scale,
    )
    if not config.autoencoder.weights:
        return pixels
    if image_shape[2:] != (3,) or not ENCODINGS[config.semantics.encoding].draws_pictures:
        choices = [name for name, choice in ENCODINGS.items() if kind in choice.kinds]
        drawing = [name for name in choices if ENCODINGS[name].draws_pictures]
        raise ValueError(
            f"Latents are of colour images and of {kind}s as colour images, but "
            f"config.data.image_channels is {channels} and config.semantics.encoding "
            f"{config.semantics.encoding!r}; choose 3 and {listed(drawing)}, or clear "
            "config.autoencoder.weights."
        )
    if config.semantics.label_scale != 1.0:
        raise ValueError(
            f"config.semantics.label_scale is {config.semantics.label_scale}, but the autoencoder "
            "reads images in [-1, 1]; set it to 1, or clear config.autoencoder.weights."
        )
    network = make_autoencoder(config.autoencoder)
    return LatentCodec(pixels, network, config.autoencoder.latent_scale)


def _check_unknown(config: Config, encoding: Encoding) -> None:
    """Raises a ValueError if unknown pixels cannot be left out of the loss."""
    remedy = "set config.data.ignored='class', as in the paper, and config.data.hidden_share=0"
    if config.autoencoder.weights:
        raise ValueError(
            "Some pixels of the masks are unknown (config.data.ignored), but a latent mixes many "
            f"pixels, so that its loss cannot leave these out; {remedy}, or clear "
            "config.autoencoder.weights for a flow of pixels."
        )
    if not getattr(encoding, "has_unknown", False):
        raise ValueError(
            "Some pixels of the masks are unknown (config.data.ignored), but "
            f"config.semantics.encoding={config.semantics.encoding!r} has no code for these; "
            f"{remedy}, or choose another encoding, such as 'onehot'."
        )


def make_autoencoder(config: AutoencoderConfig) -> Autoencoder:
    """Makes the autoencoder between pixels and latents."""
    return Autoencoder(
        channels=config.channels,
        channel_multipliers=config.channel_multipliers,
        num_res_blocks=config.num_res_blocks,
        latent_channels=config.latent_channels,
        num_groups=config.num_groups,
        dtype=jnp.dtype(config.dtype),
    )


def weights_of_run(config: Config, workdir: pathlib.Path) -> Any:
    """Reads the weights of the codec for a run, on the host; None for a pixel codec.

    Raises:
        WeightsFileError, ValueError: see `autoencoder_weights.of_run`.
    """
    given = config.autoencoder
    if not given.weights:
        return None
    network = make_autoencoder(given)
    return autoencoder_weights.of_run(workdir, given.weights, given.mask_decoder, network)


def given_files(config: Config) -> dict[str, str]:
    """The files of the codec's weights that a config names, by key."""
    given = config.autoencoder
    named = {"weights": given.weights, "mask_decoder": given.mask_decoder} if given.weights else {}
    return {f"autoencoder.{key}": path for key, path in named.items() if path}


def kept_weights(config: Config, workdir: pathlib.Path) -> Any:
    """Reads the codec weights of a trained run from its folder; None for a pixel codec."""
    if not config.autoencoder.weights:
        return None
    return autoencoder_weights.kept(workdir, make_autoencoder(config.autoencoder))


def keep_weights(config: Config, workdir: pathlib.Path, weights: Any) -> None:
    """Copies the weights of the codec, if any, into the folder of the run."""
    if weights is not None and processes.is_primary():
        autoencoder_weights.keep(workdir, weights, make_autoencoder(config.autoencoder))
