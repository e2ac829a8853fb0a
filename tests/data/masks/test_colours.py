"""Masks in the colours of their classes."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.masks.colours import pack_colours, read_coloured_mask
from symmflow_jax.data.source import DataError

COLOURS = ((0, 0, 0), (255, 0, 0), (10, 20, 30))


def test_coloured_masks_are_read_by_their_colours(tmp_path):
    ids = np.random.default_rng(0).integers(3, size=(6, 8))
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
