"""What is said once while pairs are read."""

import pickle

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.decoding.decoding import Decoding
from symmflow_jax.data.sources.segmentation.image_pairs import ImagePairs
from symmflow_jax.semantics import labels

SCHEMA = labels.consecutive(tuple(str(number) for number in range(256)))


@pytest.fixture
def write(tmp_path):
    """A function that writes an image and its mask and returns their paths."""

    def write(name, mask, orientation=1):
        picture = mask if isinstance(mask, Image.Image) else Image.fromarray(mask)
        photo = Image.new("RGB", picture.size)
        exif = photo.getexif()
        exif[0x0112] = orientation
        paths = tmp_path / f"{name}.jpg", tmp_path / f"{name}_mask.png"
        photo.save(paths[0], exif=exif)
        picture.save(paths[1])
        return paths

    return write


def _read(pairs, **options):
    source = pickle.loads(pickle.dumps(ImagePairs(pairs, SCHEMA, **options)))
    for index in range(len(source)):
        source[index]


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_turn_that_sizes_do_not_tell_is_said_once(write, caplog, orientation):
    pairs = [write(name, np.zeros((8, 8), np.uint8), orientation) for name in "ab"]
    _read(pairs)
    (record,) = caplog.records
    assert record.getMessage() == (
        f"{pairs[0][0]} is turned by its EXIF orientation ({orientation}), its mask {pairs[0][1]} "
        "has 1, and their sizes do not tell if the mask fits. If masks were drawn on raw pixels: "
        "--config.data.exif=ignore (Said once; --mode=check_data looks at all files.)"
    )
    caplog.clear()
    _read(pairs, decoding=Decoding(applies_exif=False))
    assert not caplog.records


def test_a_palette_that_differs_is_said_once(write, caplog):
    masks = []
    for colours in ((0, 0, 0, 255, 0, 0), (255, 0, 0, 0, 0, 0), (0, 0, 0, 0, 255, 0)):
        masks.append(Image.fromarray(np.array([[0, 1]], np.uint8)))
        masks[-1].putpalette(colours)
    pairs = [write(str(number), mask) for number, mask in enumerate(masks)]
    _read(pairs)
    (record,) = caplog.records
    assert record.getMessage() == (
        f"The palettes of masks differ: index 0 of the palette is #ff0000 in {pairs[1][1]}, but "
        f"#000000 in {pairs[0][1]}. Masks are read by index; if the colours tell the classes, set "
        "--config.data.class_colours to the colour of each class (Said once; --mode=check_data "
        "looks at all files.)"
    )
    caplog.clear()
    colours = [(level % 251, level, level // 3) for level in range(254)]
    _read(pairs, colours=((0, 0, 0), (255, 0, 0), *colours[2:], (0, 255, 0), (1, 1, 1)))
    assert not caplog.records


def test_a_mask_that_was_a_jpeg_is_said_once(write, caplog, compressed_masks):
    _read([write(str(n), mask) for n, mask in enumerate(compressed_masks(3, 75))])
    (record,) = caplog.records
    assert "0_mask.png: This looks like a mask that was compressed as JPEG" in record.getMessage()


def test_good_pairs_raise_no_note(write, caplog, drawn_masks):
    _read([write(str(n), mask) for n, mask in enumerate(drawn_masks(3, 40))])
    assert not caplog.records
