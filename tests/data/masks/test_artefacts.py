"""Traces of compression: found in masks that were JPEGs, and in no others."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.masks.artefacts import Signs, describe, look
from symmflow_jax.data.sources.synthetic.shapes import Shapes


@pytest.mark.parametrize(
    ("quality", "step"), [(50, 5), (50, 40), (75, 5), (75, 40), (90, 1), (90, 40), (95, 1), (95, 5)]
)
def test_masks_that_were_jpegs_are_found(compressed_masks, quality, step):
    for mask in compressed_masks(4, quality, step):
        signs = look(mask)
        assert signs.has_jpeg_blocks
        assert "was compressed as JPEG and saved anew" in describe(signs)


def test_smoothed_masks_are_found(drawn_masks):
    for mask in drawn_masks(4, 40):
        picture = Image.fromarray(mask).resize((150, 130), Image.Resampling.BILINEAR)
        signs = look(np.asarray(picture))
        assert signs.has_stray_ids and not signs.has_jpeg_blocks
        assert "was compressed or smoothed" in describe(signs)


def test_small_masks_are_judged_together(drawn_masks, compressed_masks):
    small = [mask[:40, :40] for mask in compressed_masks(20, 75)]
    assert sum((look(mask) for mask in small), Signs()).has_jpeg_blocks
    clean = [mask[:40, :40] for mask in drawn_masks(20, 40)]
    assert not sum((look(mask) for mask in clean), Signs()).has_jpeg_blocks


def _noise(seed):
    return np.random.default_rng(seed).integers(10, size=(96, 128)).astype(np.uint8)


def _clean():
    shapes = Shapes(8, "train", 0)
    masks = [np.asarray(shapes[index]["mask"], np.uint8) for index in range(8)]
    yield from masks
    yield from (np.kron(mask * 40, np.ones((3, 3), np.uint8)) for mask in masks)
    yield from (np.kron(mask, np.ones((8, 8), np.uint8)) for mask in masks)
    yield from (_noise(seed) for seed in range(3))
    # A speckled map of land cover, and instances of many numbers.
    yield np.where(
        _noise(4) < 1, _noise(5), np.kron(_noise(6), np.ones((4, 4), np.uint8))[:96, :128]
    )
    yield np.arange(96 * 128).reshape(96, 128) // 37
    yield np.zeros((96, 128), np.uint8)


def test_clean_masks_raise_no_alarm(drawn_masks):
    masks = [*_clean(), *drawn_masks(5, 1), *drawn_masks(5, 40)]
    assert not any(look(mask).has_jpeg_blocks or look(mask).has_stray_ids for mask in masks)


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (8, 8), (16, 8), (0, 5)])
def test_masks_of_any_size_are_looked_at(shape):
    signs = look(np.zeros(shape, np.int32))
    assert not signs.has_jpeg_blocks and not signs.has_stray_ids
