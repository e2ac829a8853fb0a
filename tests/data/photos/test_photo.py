"""Images of files, as pictures or as signals."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.decoding.decoding import Decoding
from symmflow_jax.data.photos.format import PhotoFormat
from symmflow_jax.data.photos.photo import read_photo, read_photo_content
from symmflow_jax.data.source import DataError

FOLDER = pathlib.Path(__file__).parents[2] / "fixtures" / "own_data" / "deep"
SIGNALS = Decoding(photos=PhotoFormat(5))


def test_pictures_are_rgb_and_signals_arrays():
    picture = read_photo(FOLDER / "rgb.png", Decoding())
    assert isinstance(picture.image, Image.Image) and picture.image.mode == "RGB"
    signal = read_photo(FOLDER / "interleaved.tif", SIGNALS)
    assert signal.image.shape == (29, 37, 5) and signal.image.dtype == np.float32
    assert picture.size == signal.size == (29, 37)
    content = (FOLDER / "interleaved.tif").read_bytes()
    again = read_photo_content(content, "x", SIGNALS)
    np.testing.assert_array_equal(again.image, signal.image)


def test_what_is_no_file_is_told(tmp_path):
    with pytest.raises(DataError, match="nowhere.tif does not exist"):
        read_photo(tmp_path / "nowhere.tif", SIGNALS)
    (tmp_path / "a.tif").write_bytes(b"no picture")
    with pytest.raises(DataError, match="a.tif cannot be read as an image"):
        read_photo(tmp_path / "a.tif", SIGNALS)
