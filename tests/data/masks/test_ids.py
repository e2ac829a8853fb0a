"""Masks of ids: what is read exactly, and what is refused with its remedy."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.masks.ids import read_mask
from symmflow_jax.data.source import DataError


def random_ids(seed=0):
    choices = np.array([0, 1, 2, 255], np.uint8)
    return np.random.default_rng(seed).choice(choices, size=(6, 8))


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
