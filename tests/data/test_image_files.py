"""Picture files: every kind of image and of mask, and every kind of damage."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.image_files import (
    open_image,
    pack_colours,
    read_coloured_mask,
    read_image,
    read_mask,
)
from symmflow_jax.data.source import DataError

HEIGHT, WIDTH = 6, 8
COLOURS = ((0, 0, 0), (255, 0, 0), (10, 20, 30))


def random_image(seed=0, channels=(3,)):
    rng = np.random.default_rng(seed)
    return rng.integers(256, size=(HEIGHT, WIDTH, *channels), dtype=np.uint8)


def random_ids(seed=0):
    choices = np.array([0, 1, 2, 255], np.uint8)
    return np.random.default_rng(seed).choice(choices, size=(HEIGHT, WIDTH))


def test_images_stay_pictures_until_their_pixels_are_asked_for(tmp_path):
    Image.fromarray(random_image()).save(tmp_path / "a.png")
    picture = open_image(tmp_path / "a.png")
    assert picture.mode == "RGB" and picture.size == (WIDTH, HEIGHT)
    (tmp_path / "a.png").unlink()  # It is in memory as a whole.
    np.testing.assert_array_equal(picture, random_image())


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.webp"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.9])
def test_truncated_pictures_are_named(tmp_path, name, share):
    noise = np.random.default_rng(0).integers(256, size=(64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=f"{name} cannot be read as an image .*Replace the file"):
        read_image(tmp_path / name)


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


@pytest.mark.parametrize("kind", ["L", "P", "I;16", "1"])
def test_masks_of_one_channel_keep_their_ids(tmp_path, kind):
    ids = np.array([[0, 1, 1], [1, 0, 1]], np.uint8)
    if kind == "I;16":
        ids = ids.astype(np.uint16) * 1000
        picture = Image.fromarray(ids)
    elif kind == "P":
        ids = ids * 7
        picture = Image.fromarray(ids)
        picture.putpalette(list(range(255, -1, -1)) * 3)
    else:
        picture = Image.fromarray(ids * 255).convert("1") if kind == "1" else Image.fromarray(ids)
    assert picture.mode == kind
    picture.save(tmp_path / "a.png")
    read = read_mask(tmp_path / "a.png")
    assert read.dtype == (np.uint8 if kind in ("L", "P") else np.int32)
    np.testing.assert_array_equal(read, ids)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_masks_of_several_channels_are_refused(tmp_path, mode):
    Image.fromarray(random_ids()).convert(mode).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=rf"a.png is an image of mode {mode}, .*one channel"):
        read_mask(tmp_path / "a.png")


def test_jpeg_masks_are_refused(tmp_path):
    Image.fromarray(random_ids()).save(tmp_path / "a.jpg")
    with pytest.raises(DataError, match=r"a.jpg is a JPEG, whose compression changes ids"):
        read_mask(tmp_path / "a.jpg")


def test_masks_are_turned_as_their_images_are(tmp_path):
    picture = Image.fromarray(random_ids())
    exif = picture.getexif()
    exif[0x0112] = 3  # Upside down.
    picture.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png"), random_ids()[::-1, ::-1])


def test_coloured_masks_are_read_by_their_colours(tmp_path):
    ids = random_ids() % 3
    Image.fromarray(np.asarray(COLOURS, np.uint8)[ids]).save(tmp_path / "a.png")
    read = read_coloured_mask(tmp_path / "a.png", COLOURS)
    assert read.dtype == np.int32
    np.testing.assert_array_equal(read, ids)


@pytest.mark.parametrize("colour", [(10, 20, 31), (255, 255, 255), (0, 0, 1)])
def test_colours_of_no_class_are_named(tmp_path, colour):
    pixels = np.zeros((2, 2, 3), np.uint8)
    pixels[1, 1] = colour
    Image.fromarray(pixels).save(tmp_path / "a.png")
    name = "#" + bytes(colour).hex()
    message = rf"a.png has the colour {name} \(1 in all\) .*config\.data\.class_colours"
    with pytest.raises(DataError, match=message):
        read_coloured_mask(tmp_path / "a.png", COLOURS)


def test_packed_colours_are_read_as_in_a_style_sheet():
    packed = pack_colours(np.array([[0, 0, 0], [255, 0, 128], [255, 255, 255]], np.uint8))
    assert packed.tolist() == [0, 0xFF0080, 0xFFFFFF]
