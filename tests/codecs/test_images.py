import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.codecs import images

ALL_LEVELS = jnp.arange(256, dtype=jnp.uint8).reshape(1, 16, 16, 1)


def test_pixels_survive_the_way_there_and_back():
    signal = images.to_signal(ALL_LEVELS)
    assert signal.dtype == jnp.float32
    pixels = images.to_pixels(signal)
    assert pixels.dtype == jnp.uint8
    np.testing.assert_array_equal(pixels, ALL_LEVELS)


def test_signal_spans_minus_one_to_one():
    signal = images.to_signal(jnp.asarray([0, 51, 255], jnp.uint8))
    np.testing.assert_allclose(signal, [-1.0, -0.6, 1.0], atol=1e-6)


def test_outside_values_are_clipped_and_not_wrapped():
    pixels = images.to_pixels(jnp.asarray([-1.5, -1.0, 1.0, 1.01, 50.0]))
    np.testing.assert_array_equal(pixels, [0, 0, 255, 255, 255])


def test_published_samples_are_cut_to_levels():
    signal = jnp.asarray([-1.5, -1.0, -0.995, 0.0, 0.999, 1.0, 50.0])
    np.testing.assert_array_equal(images.cut_to_pixels(signal), [0, 0, 0, 127, 254, 255, 255])
    np.testing.assert_array_equal(images.to_pixels(signal), [0, 0, 1, 128, 255, 255, 255])
    # As NumPy stores them (see make_published_reading.py).
    path = pathlib.Path(__file__).parents[1] / "fixtures" / "published_reading.npz"
    reference = np.load(path)
    stored = images.cut_to_pixels(jnp.asarray(reference["samples"]))
    np.testing.assert_array_equal(stored, reference["stored"])


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float16, jnp.bfloat16])
def test_points_are_signals_already(dtype):
    points = jnp.asarray([[-3.0, 2.5]], dtype)
    signal = images.to_signal(points)
    assert signal.dtype == jnp.float32
    np.testing.assert_array_equal(signal, [[-3.0, 2.5]])


def test_dequantisation_stays_within_half_a_level():
    signal = images.to_signal(jnp.full((64, 64, 3), 100, jnp.uint8))
    noisy = images.dequantize(jax.random.key(0), signal)
    levels = np.asarray(noisy - signal) * 127.5
    assert -0.5001 <= np.min(levels) < -0.49 and 0.49 < np.max(levels) <= 0.5001
    assert abs(np.mean(levels)) < 0.02
    np.testing.assert_array_equal(images.to_pixels(0.99 * noisy + 0.01 * signal), 100)


def test_bfloat16_signals_become_pixels():
    np.testing.assert_array_equal(images.to_pixels(jnp.asarray([0.0], jnp.bfloat16)), [128])
