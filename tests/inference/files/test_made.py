"""Pictures that say what they show."""

import os

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.inference.files.made import Made, made_of, write_ids, write_picture


@pytest.mark.parametrize(
    ("largest", "mode"), [(0, "L"), (255, "L"), (256, "I;16"), (65535, "I;16")]
)
def test_ids_survive_in_as_few_bits_as_they_need(tmp_path, largest, mode):
    ids = np.asarray([[0, largest, 3 % (largest + 1)]], np.int32)
    path = tmp_path / "new" / "folder" / "ids.png"
    write_ids(path, ids, Made.MASK)
    with Image.open(path) as image:
        assert image.mode == mode
        np.testing.assert_array_equal(np.asarray(image), ids)
    assert made_of(path) is Made.MASK


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_a_picture_keeps_its_mark_under_another_name(tmp_path, channels, mode):
    pixels = np.random.default_rng(0).integers(256, size=(4, 6, channels), dtype=np.uint8)
    write_picture(tmp_path / "picture.png", pixels, Made.OVERLAY)
    path = (tmp_path / "picture.png").rename(tmp_path / "renamed.PNG")
    assert made_of(path) is Made.OVERLAY
    with Image.open(path) as picture:
        assert picture.mode == mode
        np.testing.assert_array_equal(np.asarray(picture).reshape(pixels.shape), pixels)


def test_other_files_have_no_mark(tmp_path):
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "photo.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    for name in ("photo.png", "broken.png", "missing.png", "photo.jpg"):
        assert made_of(tmp_path / name) is None


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert made_of(tmp_path / "pipe.png") is None
