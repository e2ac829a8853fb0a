"""Values of files as signals, and signals as pictures."""

import numpy as np
import pytest

from symmflow_jax.data.photos.format import PhotoFormat
from symmflow_jax.data.source import DataError

BYTES, DEEP = (0.0, 255.0), (0.0, 65535.0)


def test_the_range_of_a_type_becomes_minus_one_to_one():
    values = np.array([[[0, 32768, 65535]]], np.uint16)
    signal = PhotoFormat(3).to_signal(values, DEEP, "a.tif")
    assert signal.dtype == np.float32
    np.testing.assert_allclose(signal, [[[-1, 0, 1]]], atol=2e-5)
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    np.testing.assert_array_equal(
        PhotoFormat(1).picture(PhotoFormat(1).to_signal(levels, BYTES, "a.png")), levels
    )


def test_neighbouring_values_of_16_bits_stay_apart():
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    assert len(np.unique(PhotoFormat(1).to_signal(values, DEEP, "a.tif"))) == 65536


def test_a_range_of_the_config_is_of_all_channels_or_of_each():
    values = np.array([[[0.0, 10.0], [4.0, 30.0]]], np.float32)
    one = PhotoFormat(2, (0, 20)).to_signal(values, None, "a.tif")
    np.testing.assert_allclose(one, [[[-1, 0], [-0.6, 1]]], atol=1e-6)
    each = PhotoFormat(2, (0, 4, 10, 30)).to_signal(values, None, "a.tif")
    np.testing.assert_allclose(each, [[[-1, -1], [1, 1]]], atol=1e-6)


def test_values_without_a_meaning_are_refused():
    values = np.array([[[0.5], [2.0]]], np.float32)
    with pytest.raises(DataError, match=r"a.tif has numbers of the type float32.*0.5 to 2\. Set"):
        PhotoFormat(1).to_signal(values, None, "a.tif")
    values[0, 0] = np.nan
    with pytest.raises(DataError, match="a.tif has 1 pixels that are no finite numbers"):
        PhotoFormat(1, (0, 1)).to_signal(values, None, "a.tif")


def test_channels_are_those_of_the_config():
    grey, colour = np.full((1, 1, 1), 51, np.uint8), np.array([[[255, 0, 0]]], np.uint8)
    np.testing.assert_allclose(PhotoFormat(3).to_signal(grey, BYTES, "a"), [[[-0.6] * 3]])
    luminance = PhotoFormat(1).to_signal(colour, BYTES, "a")
    np.testing.assert_allclose(luminance, [[[2 * 0.299 - 1]]], rtol=1e-6)
    with pytest.raises(DataError, match="a.tif has 5 channels, but config.data.image_channels is"):
        PhotoFormat(4).to_signal(np.zeros((2, 2, 5), np.uint8), BYTES, "a.tif")


@pytest.mark.parametrize(
    ("channels", "shown", "found"),
    [(5, (), [0, 1, 2]), (2, (), [0]), (5, (4, 2, 0), [4, 2, 0]), (5, (3,), [3])],
)
def test_pictures_show_the_chosen_channels(channels, shown, found):
    pixels = np.arange(channels, dtype=np.uint8).reshape(1, 1, channels) * 20
    photos = PhotoFormat(channels, (), shown)
    expected = [[[20 * channel for channel in found]]]
    np.testing.assert_array_equal(photos.shown_of(pixels), expected)
    signal = photos.to_signal(pixels, BYTES, "a")
    np.testing.assert_array_equal(photos.picture(signal), expected)
