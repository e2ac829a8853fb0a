"""Images and labels as the flow has them, without an autoencoder between."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.codecs.images import to_pixels
from symmflow_jax.codecs.pixels import PixelCodec
from symmflow_jax.data.batch import Moments, Pixels, Points, Signals
from symmflow_jax.flow.state import JointState
from symmflow_jax.semantics.class_plane import ClassPlane
from symmflow_jax.semantics.one_hot import OneHot

_LEVELS = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=0)


def _codec(**attributes) -> PixelCodec:
    return PixelCodec(OneHot(4), (16, 16, 1), **attributes)


def _keys(count=3, seed=0):
    return jax.random.split(jax.random.key(seed), count)


def test_pixels_become_signals_between_minus_one_and_one():
    image = Pixels(np.array([0, 51, 255], np.uint8).reshape(1, 1, 3, 1))
    signal = _codec().encode_image(None, _keys(1), image, train=True)
    assert signal.dtype == jnp.float32
    np.testing.assert_allclose(signal[0, 0, :, 0], [-1.0, -0.6, 1.0], atol=1e-6)


@pytest.mark.parametrize("kind", [Signals, Points])
def test_signals_and_points_stay_as_they_are(kind):
    values = np.array([[-3.0, 0.25], [7.0, 0.0]], np.float32)
    encoded = _codec().encode_image(None, _keys(2), kind(values), train=True)
    np.testing.assert_array_equal(encoded, values)


def test_moments_are_refused():
    with pytest.raises(TypeError, match="this codec has no autoencoder"):
        _codec().encode_image(None, _keys(), Moments(np.zeros((3, 4, 4, 4))), train=False)


def test_dequantisation_is_for_training_and_bears_rounding():
    codec, image = _codec(dequantize_images=True), Pixels(_LEVELS)
    clean = codec.encode_image(None, _keys(), image, train=False)
    noisy = codec.encode_image(None, _keys(), image, train=True)
    plain = _codec().encode_image(None, _keys(), image, train=True)
    np.testing.assert_array_equal(clean, plain)
    noise = np.asarray(noisy - clean)
    assert 0.9 / 255 < np.max(noise) <= 1.001 / 255 and -1.001 / 255 <= np.min(noise) < -0.9 / 255
    # Equal images get noise of their own, and all are read as they were.
    assert np.max(np.abs(noise[0] - noise[1])) > 0.5 / 255
    np.testing.assert_array_equal(to_pixels(codec.decode_image(None, noisy)), _LEVELS)


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_scaled_labels_are_read_as_they_were(scale):
    codec = _codec(label_scale=scale)
    labels = jnp.arange(2 * 16 * 16).reshape(2, 16, 16) % 4
    semantics = codec.encode_semantics(None, _keys(2), labels)
    assert semantics.shape == (2, *codec.shapes.semantics)
    assert float(jnp.max(semantics)) == scale and float(jnp.min(semantics)) == -scale
    signal = codec.decode_semantics(None, semantics)
    np.testing.assert_array_equal(codec.encoding.decode(signal), labels)


def test_shapes_of_images_and_points():
    assert _codec().shapes == JointState((16, 16, 1), (16, 16, 4))
    points = PixelCodec(ClassPlane(3, (), 4.0), (2,))
    assert points.shapes == JointState((2,), (1,))


def test_there_is_no_network():
    codec = _codec()
    assert codec.init(jax.random.key(0)) is None
    assert codec.dtype == jnp.float32
