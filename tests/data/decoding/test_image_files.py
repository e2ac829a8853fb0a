"""Picture files: every kind of photo, every kind of damage, and what is too large."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.decoding.image_files import open_image, read_image
from symmflow_jax.data.source import DataError

HEIGHT, WIDTH = 6, 8


def random_image(seed=0, channels=(3,)):
    rng = np.random.default_rng(seed)
    return rng.integers(256, size=(HEIGHT, WIDTH, *channels), dtype=np.uint8)


def test_images_stay_pictures_until_their_pixels_are_asked_for(tmp_path):
    Image.fromarray(random_image()).save(tmp_path / "a.png")
    picture = open_image(tmp_path / "a.png")
    assert picture.mode == "RGB" and picture.size == (WIDTH, HEIGHT)
    (tmp_path / "a.png").unlink()  # It is in memory as a whole.
    np.testing.assert_array_equal(picture, random_image())


def test_exif_orientation_turns_images(tmp_path):
    picture = Image.fromarray(random_image())
    exif = picture.getexif()
    exif[0x0112] = 6  # Stored a quarter turn to the left: shown turned to the right.
    picture.save(tmp_path / "a.png", exif=exif)
    read = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(read, np.rot90(random_image(), k=-1))


def test_grey_images_get_three_equal_channels(tmp_path):
    grey = random_image(channels=())
    Image.fromarray(grey).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), np.stack([grey] * 3, axis=-1))


def test_sixteen_bits_become_eight(tmp_path):
    deep = np.array([[0, 257, 128 * 257], [65535, 100 * 257, 60000]], np.uint16)
    Image.fromarray(deep).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as stored:
        assert stored.mode == "I;16"
    expected = np.array([[0, 1, 128], [255, 100, 233]])
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), np.stack([expected] * 3, axis=-1))


def test_palette_images_show_their_colours(tmp_path):
    picture = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8)).convert("P")
    colours = [(10, 20, 30), (200, 0, 0), (0, 90, 255)]
    picture.putpalette([level for colour in colours for level in colour])
    picture.save(tmp_path / "a.png")
    expected = np.array(colours)[[[0, 1], [2, 1]]]
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), expected)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_pixels_are_laid_over_black(tmp_path, mode):
    channels = len(mode)
    pixels = np.full((2, 2, channels), 200, np.uint8)
    pixels[..., -1] = [[255, 0], [128, 255]]
    Image.fromarray(pixels, mode=mode).save(tmp_path / "a.png")
    read = read_image(tmp_path / "a.png")
    assert read.shape == (2, 2, 3)
    np.testing.assert_allclose(read[..., 0], [[200, 0], [100, 200]], atol=1)


def test_transparent_palette_entries_are_laid_over_black(tmp_path):
    picture = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    picture.putpalette([250, 250, 250, 9, 8, 7])
    picture.save(tmp_path / "a.png", transparency=0)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), [[[0, 0, 0], [9, 8, 7]]])


def test_cmyk_jpegs_become_rgb(tmp_path):
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    red.save(tmp_path / "a.jpg")
    read = read_image(tmp_path / "a.jpg")
    assert read.shape == (16, 16, 3)
    np.testing.assert_allclose(read.mean(axis=(0, 1)), [255, 0, 0], atol=8)


def test_tiffs_of_16_bits_become_eight(tmp_path):
    Image.fromarray(np.array([[0, 257, 65535]], np.uint16)).save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif")[..., 0], [[0, 1, 255]])


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_photos_of_32_bits_are_refused(tmp_path, dtype):
    Image.fromarray(np.ones((2, 2), dtype)).save(tmp_path / "a.tif")
    message = r"a.tif has pixels of 32 bits \(mode [IF]\).*8 or 16 bits"
    with pytest.raises(DataError, match=message):
        read_image(tmp_path / "a.tif")
