"""Images of files for a trained model."""

import pathlib

import numpy as np

from symmflow_jax.data.photos.format import PhotoFormat
from symmflow_jax.data.photos.reader import PhotoReader

FOLDER = pathlib.Path(__file__).parents[2] / "fixtures" / "own_data" / "deep"


def test_pictures_stay_as_they_are():
    reader = PhotoReader()
    image = reader.read(FOLDER / "rgb.png")
    assert image.shape == (29, 37, 3) and image.dtype == np.uint8
    assert reader.picture(image) is image


def test_signals_are_shown_by_their_chosen_channels():
    reader = PhotoReader(PhotoFormat(5, (), (4, 0, 2)))
    signal = reader.read(FOLDER / "planar.tif")
    with np.load(FOLDER / "numbers.npz") as numbers:
        levels = numbers["bands"][..., [4, 0, 2]] / 257
    picture = reader.picture(signal)
    assert picture.dtype == np.uint8
    np.testing.assert_allclose(picture, levels, atol=0.51)
    pixels = np.arange(5, dtype=np.uint8).reshape(1, 1, 1, 5)
    np.testing.assert_array_equal(reader.picture(pixels), [[[[4, 0, 2]]]])
