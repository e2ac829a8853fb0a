"""Numbers of files that tifffile, imagecodecs and Pillow have written."""

import pathlib
import sys

import numpy as np
import pytest
import tifffile
from PIL import Image

from symmflow_jax.data.decoding.decoding import Decoding, decode
from symmflow_jax.data.photos.arrays import read_raster
from symmflow_jax.data.source import DataError

FOLDER = pathlib.Path(__file__).parents[2] / "fixtures" / "own_data" / "deep"


@pytest.fixture(scope="module")
def bands():
    """The numbers, uint16 `[29, 37, 5]`."""
    with np.load(FOLDER / "numbers.npz") as numbers:
        return numbers["bands"]


def _read(path, **decoding):
    return read_raster(path.read_bytes(), path.name, Decoding(**decoding))


@pytest.mark.parametrize("name", ["interleaved", "planar", "pages"])
def test_channels_come_last_however_a_tiff_holds_them(bands, name):
    raster = _read(FOLDER / f"{name}.tif")
    assert raster.own_range == (0, 65535) and raster.values.dtype == np.uint16
    np.testing.assert_array_equal(raster.values, bands)


def test_grey_colour_and_floats_keep_their_numbers(bands):
    np.testing.assert_array_equal(_read(FOLDER / "grey.tif").values, bands[..., :1])
    colour = _read(FOLDER / "rgb.png")
    assert colour.own_range == (0, 65535)
    np.testing.assert_array_equal(colour.values, bands[..., :3])
    floats = _read(FOLDER / "floats.tif")
    assert floats.own_range is None
    np.testing.assert_array_equal(floats.values, bands.astype(np.float32) / 1000)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA"])
def test_pictures_of_8_bits_keep_their_channels(tmp_path, mode):
    channels = len(mode)
    pixels = np.random.default_rng(0).integers(0, 256, (4, 5, channels), np.uint8)
    Image.fromarray(pixels[..., 0] if channels == 1 else pixels, mode).save(tmp_path / "a.png")
    raster = _read(tmp_path / "a.png")
    np.testing.assert_array_equal(raster.values, pixels)
    assert raster.own_range == (0, 255)


def test_a_grey_png_of_16_bits_needs_no_other_package(tmp_path, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 65536, (4, 5), np.uint16)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    for name in ("tifffile", "imagecodecs"):
        monkeypatch.setitem(sys.modules, name, None)
    np.testing.assert_array_equal(_read(tmp_path / "a.png").values[..., 0], pixels)
    with pytest.raises(DataError, match=r"a TIFF, needs the package tifffile.*symmflow_jax\[tiff"):
        _read(FOLDER / "grey.tif")
    with pytest.raises(DataError, match="rgb.png.* needs the package imagecodecs"):
        _read(FOLDER / "rgb.png")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_is_turned_as_pillow_turns_it(tmp_path, orientation):
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    tags = [(274, "H", 1, orientation, True)]
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="minisblack", extratags=tags)
    turned = np.asarray(decode(tmp_path / "a.tif").picture)
    raster = _read(tmp_path / "a.tif")
    np.testing.assert_array_equal(raster.values[..., 0], turned)
    assert raster.header.size(True) == turned.shape[::-1]
    raw = _read(tmp_path / "a.tif", applies_exif=False)
    np.testing.assert_array_equal(raw.values[..., 0], pixels)


def test_white_as_zero_and_12_bits_keep_their_meaning(tmp_path):
    pixels = np.array([[0, 10], [200, 255]], np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite")
    np.testing.assert_array_equal(_read(tmp_path / "a.tif").values[..., 0], 255 - pixels)


def test_other_files_are_refused(tmp_path):
    stack = np.zeros((3, 2, 4, 5), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata={"axes": "ZCYX"})
    with pytest.raises(DataError, match="a.tif has more axes than height, width and channels"):
        _read(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "b.tif", np.zeros((4, 5), np.uint8))
    tifffile.imwrite(tmp_path / "b.tif", np.zeros((2, 5), np.uint8), append=True)
    with pytest.raises(DataError, match="b.tif has 2 images of different shapes"):
        _read(tmp_path / "b.tif")
    (tmp_path / "c.tif").write_bytes((FOLDER / "grey.tif").read_bytes()[:300])
    with pytest.raises(DataError, match="c.tif"):
        _read(tmp_path / "c.tif")
    with pytest.raises(DataError, match="has 37x29 pixels .*more than the limit of 0.001"):
        _read(FOLDER / "grey.tif", max_megapixels=0.001)
