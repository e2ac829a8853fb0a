"""What files say about their pictures."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.decoding.decoding import decode
from symmflow_jax.data.decoding.header import Header, orientation_of

PICTURE = Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4))


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
@pytest.mark.parametrize(
    ("kind", "options", "lossy"),
    [
        ("PNG", {}, False),
        ("BMP", {}, False),
        ("GIF", {}, False),
        ("TIFF", {}, False),
        ("TIFF", {"compression": "tiff_lzw"}, False),
        ("TIFF", {"compression": "jpeg"}, True),
        ("WEBP", {"lossless": True}, False),
        ("WEBP", {"lossless": False}, True),
        ("JPEG", {}, True),
        ("JPEG2000", {}, True),
    ],
)
def test_loss_is_judged_by_the_content(tmp_path, name, kind, options, lossy):
    exif = PICTURE.getexif()
    exif[0x0112] = 3  # A WebP has other chunks with it.
    turn = {"exif": exif} if kind in ("WEBP", "PNG") else {}
    PICTURE.save(tmp_path / name, format=kind, **options, **turn)
    header = decode(tmp_path / name).header
    assert header.format == kind and header.is_lossy == lossy


@pytest.mark.parametrize("value", [0, 9, "left", None])
def test_orientations_that_do_not_exist_turn_nothing(value):
    picture = PICTURE.copy()
    if value is not None:
        picture.getexif()[0x0112] = value
    assert orientation_of(picture) == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_quarter_turns_exchange_width_and_height(orientation):
    header = Header("PNG", "L", "L", 4, 3, orientation, is_lossy=False)
    assert header.size(False) == (4, 3)
    assert header.size(True) == ((3, 4) if orientation > 4 else (4, 3))
