"""Damage of PNG files that decoding alone does not notice."""

import io

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.decoding.chunks import check_chunks


def _png(**options) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)
    Image.fromarray(noise).save(file, format="PNG", **options)
    return file.getvalue()


@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"transparency": 3}])
def test_sound_files_pass(options):
    check_chunks(io.BytesIO(_png(**options)))
    # What follows the last chunk is no part of the picture.
    check_chunks(io.BytesIO(_png(**options) + b"more"))


def test_a_changed_pixel_is_noticed():
    content = bytearray(_png())
    place = content.index(b"IDAT") + 500
    content[place] ^= 1
    with pytest.raises(ValueError, match="checksum of its chunk b'IDAT' is wrong"):
        check_chunks(io.BytesIO(bytes(content)))


@pytest.mark.parametrize("length", [8, 20, 200, -1, -12])
def test_a_missing_end_is_noticed(length):
    with pytest.raises(ValueError, match="cut short"):
        check_chunks(io.BytesIO(_png()[:length]))


def test_a_comment_may_be_damaged():
    content = _png()
    place = content.index(b"IDAT") - 4
    comment = b"\0\0\0\2tEXtab" + b"none"
    check_chunks(io.BytesIO(content[:place] + comment + content[place:]))
