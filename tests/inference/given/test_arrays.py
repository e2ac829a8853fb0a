"""Arrays in the model's size, and what is none."""

import dataclasses

import numpy as np
import pytest

from symmflow_jax.data.batch import Pixels, Points, Signals
from symmflow_jax.inference.given.arrays import checked_conditions, checked_images, checked_region
from symmflow_jax.semantics.labels import filed_under

_SCHEMA = filed_under((1, 2, 3, 4), ("circle", "square", "triangle", "cross"))
_SHAPE = (8, 8, 3)


def test_images_are_told_apart_by_shape_and_dtype():
    for array, shape, kind in (
        (np.zeros((2, 8, 8, 3), np.uint8), _SHAPE, Pixels),
        (np.zeros((2, 8, 8, 3), np.float64), _SHAPE, Signals),
        (np.full((2, 5), 300.0), (5,), Points),
    ):
        checked = checked_images(array, shape)
        assert isinstance(checked, kind)
        np.testing.assert_array_equal(checked.values, array)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((1, 9, 8, 3), np.uint8), r"shape \(1, 9, 8, 3\); .*Resize"),
        (np.zeros((1, 8, 8, 1), np.uint8), r"takes \('batch', 8, 8, 3\)"),
        (np.zeros((0, 8, 8, 3), np.uint8), r"shape \(0, 8, 8, 3\)"),
        (np.zeros((1, 8, 8, 3), np.int64), r"int64; give uint8"),
        (np.full((1, 8, 8, 3), 200.0), r"200 to 200; .*\[-1, 1\].* x / 127\.5 - 1"),
        (np.full((1, 8, 8, 3), np.nan), r"nan to nan"),
    ],
)
def test_images_of_another_kind_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        checked_images(images, _SHAPE)


def test_a_region_is_of_pixels_or_of_the_numbers_of_points():
    for shape, image_shape in (((2, 8, 8), _SHAPE), ((2, 5), (5,))):
        keep = np.ones(shape, bool)
        assert checked_region(keep, image_shape) is keep
        with pytest.raises(ValueError, match=r"is int64 of shape .*give bool \('batch', "):
            checked_region(keep.astype(np.int64), image_shape)


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ([[0, 1]], r"shape \(1, 2\); this model takes \('batch',\)"),
        ([0.5], r"float64; give integers"),
        ([4], r"4 to 4; the classes are 0 to 3: circle"),
    ],
)
def test_conditions_of_another_kind_are_refused(conditions, message):
    with pytest.raises(ValueError, match=message):
        checked_conditions(conditions, _SHAPE, _SCHEMA, are_masks=False)


def test_masks_have_the_models_size_and_unknown_pixels_where_it_has_learned_them():
    masks = np.full((2, 8, 8), -1)
    knows = dataclasses.replace(_SCHEMA, unknown_ids=(200,))
    found = checked_conditions(masks, _SHAPE, knows, are_masks=True)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, masks)
    with pytest.raises(ValueError, match="unknown pixels"):
        checked_conditions(masks, _SHAPE, _SCHEMA, are_masks=True)
    with pytest.raises(ValueError, match=r"takes \('batch', 8, 8\)"):
        checked_conditions(masks[:, 1:], _SHAPE, knows, are_masks=True)
