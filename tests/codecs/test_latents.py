"""The latent codec with an autoencoder so simple that its latents are known."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.codecs.latents import LatentCodec, require_latents
from symmflow_jax.codecs.pixels import PixelCodec
from symmflow_jax.data.batch import Moments, Pixels, Signals
from symmflow_jax.flow import keys
from symmflow_jax.networks.autoencoder import Posterior
from symmflow_jax.semantics import palettes
from symmflow_jax.semantics.class_plane import ClassColour
from symmflow_jax.semantics.palette_mask import PaletteMask

_SPREAD = 0.05
_SCALE = 0.5
_PIXELS = PixelCodec(PaletteMask(((0, 0, 0), (250, 0, 0), (0, 250, 250)), 6.0), (4, 4, 3))
_LABELS = jnp.asarray(np.random.default_rng(0).integers(0, 3, (2, 4, 4)))
_IMAGES = jnp.asarray(np.random.default_rng(1).integers(0, 256, (2, 4, 4, 3), np.uint8))
_SIGNAL = np.asarray(_IMAGES, np.float32) / 127.5 - 1.0


class _Shift(nn.Module):
    @nn.compact
    def __call__(self, x):
        return x + self.param("shift", nn.initializers.zeros, ())


class _Shifting(nn.Module):
    """Latents are the pixels and a number, with a known spread."""

    latent_channels: int = 3
    rate: int = 1

    def setup(self):
        self.encoder, self.decoder = _Shift(), _Shift()

    def __call__(self, images):
        return self.decode(self.encode(images).mean)

    def encode(self, images):
        mean = self.encoder(images)
        return Posterior(mean, jnp.full_like(mean, 2 * np.log(_SPREAD)))

    def decode(self, latents):
        return self.decoder(latents)


_CODEC = LatentCodec(_PIXELS, _Shifting(), _SCALE)
_WEIGHTS = {
    "encoder": {"shift": jnp.asarray(0.25)},
    "decoder": {"shift": jnp.asarray(-0.25)},
}


def _keys(seed: int = 0) -> jax.Array:
    return keys.example_keys(jax.random.key(seed), jnp.arange(2))


def test_an_image_is_a_sample_of_its_posterior():
    many = keys.example_keys(jax.random.key(0), jnp.arange(512))
    images = jnp.broadcast_to(_IMAGES[:1], (512, 4, 4, 3))
    latents = np.asarray(_CODEC.encode_image(_WEIGHTS, many, Pixels(images), train=True)) / _SCALE
    # 512 samples: the mean is known to 0.05 / sqrt(512).
    np.testing.assert_allclose(latents.mean(axis=0), _SIGNAL[0] + 0.25, atol=5 * _SPREAD / 22)
    np.testing.assert_allclose(latents.std(axis=0), _SPREAD, rtol=0.2)


def test_a_mask_is_the_mode_of_its_noisy_picture():
    first, again, other = (
        np.asarray(_CODEC.encode_semantics(_WEIGHTS, key, _LABELS)) / _SCALE - 0.25
        for key in (_keys(), _keys(), _keys(1))
    )
    np.testing.assert_array_equal(first, again)
    clean = np.asarray(_PIXELS.encoding.encode_clean(_LABELS))
    # Three levels of 8 bits to either side, and no more: the posterior's spread is larger.
    assert 1.0 / 127.5 < np.abs(first - clean).max() <= 3.0 / 127.5 + 1e-6
    assert np.abs(first - other).max() > 1.0 / 127.5


def test_signals_come_back():
    latents = _CODEC.encode_semantics(_WEIGHTS, _keys(), _LABELS)
    decoded = _CODEC.encoding.decode(_CODEC.decode_semantics(_WEIGHTS, latents))
    np.testing.assert_array_equal(decoded, _LABELS)
    latents = _CODEC.encode_image(_WEIGHTS, _keys(), Pixels(_IMAGES), train=False)
    difference = _CODEC.decode_image(_WEIGHTS, latents) - _SIGNAL
    assert np.abs(difference).max() < 6 * _SPREAD


def test_a_label_is_a_picture_of_one_colour_through_the_autoencoder():
    """The mode of the posterior, as of masks; the picture is read after it is decoded."""
    encoding = ClassColour(palettes.label_colours(7), (4, 4), 6.0)
    codec = LatentCodec(PixelCodec(encoding, (4, 4, 3)), _Shifting(), _SCALE)
    labels = jnp.asarray([5, 2])
    latents = codec.encode_semantics(_WEIGHTS, _keys(), labels)
    assert latents.shape == (2, 4, 4, 3) == (2, *codec.shapes.semantics)
    colours = encoding.encode_clean(labels)
    # Half of the dequantisation's 6 levels at most; nothing of the posterior's spread of 0.05.
    np.testing.assert_allclose(latents / _SCALE - 0.25, colours, atol=3 / 127.5 + 1e-6)
    picture = codec.decode_semantics(_WEIGHTS, latents)
    np.testing.assert_array_equal(encoding.decode(picture), labels)
    tuned = _WEIGHTS | {"mask_decoder": {"shift": jnp.asarray(7.0)}}
    np.testing.assert_allclose(codec.decode_semantics(tuned, latents), picture + 7.25, atol=1e-5)


def test_masks_may_have_a_decoder_of_their_own():
    weights = _WEIGHTS | {"mask_decoder": {"shift": jnp.asarray(7.0)}}
    latents = jnp.zeros((1, 4, 4, 3))
    np.testing.assert_allclose(_CODEC.decode_semantics(weights, latents), 7.0)
    np.testing.assert_allclose(_CODEC.decode_image(weights, latents), -0.25)


def test_moments_stand_for_the_image():
    moments = _CODEC.moments(_WEIGHTS, jnp.asarray(_SIGNAL))
    assert moments.shape[1:] == _CODEC.moments_shape == (4, 4, 6)
    on_the_fly = _CODEC.encode_image(_WEIGHTS, _keys(), Pixels(_IMAGES), train=True)
    cached = _CODEC.encode_image(
        _WEIGHTS, _keys(), Moments(moments.astype(jnp.float16)), train=True
    )
    np.testing.assert_allclose(cached, on_the_fly, atol=1e-3)


def test_float_images_are_images():
    floats = _CODEC.encode_image(_WEIGHTS, _keys(), Signals(jnp.asarray(_SIGNAL)), train=False)
    pixels = _CODEC.encode_image(_WEIGHTS, _keys(), Pixels(_IMAGES), train=False)
    np.testing.assert_allclose(floats, pixels, atol=1e-6)


def test_pixels_have_no_latents():
    with pytest.raises(ValueError, match=r"--mode=encode needs an autoencoder.*autoencoder\.weigh"):
        require_latents(_PIXELS, "--mode=encode")
