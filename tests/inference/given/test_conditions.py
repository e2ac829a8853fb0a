"""Masks and labels as users have them."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.source import DataError
from symmflow_jax.inference.files.made import Made, write_ids
from symmflow_jax.inference.given.conditions import (
    fitted_mask,
    given_labels,
    given_masks,
    read_condition,
)
from symmflow_jax.semantics.labels import filed_under

_SCHEMA = filed_under((7, 1, 30), ("sky", "road", "tree"))
_CLASSES = np.array([[0, 1, 2], [2, 2, 0]])
_IDS = np.array([[7, 1, 30], [30, 30, 7]], np.uint8)
_COLOURS = ((0, 0, 255), (128, 128, 128), (0, 255, 0))
_COLOURED = np.asarray(_COLOURS, np.uint8)[_CLASSES]


def _one(masks, colours=()) -> np.ndarray:
    given = given_masks(masks, _SCHEMA, colours)
    assert given.is_one
    return given.items[0]


def test_files_and_pictures_hold_ids_and_arrays_hold_classes(tmp_path):
    Image.fromarray(_IDS).save(tmp_path / "ids.png")
    for mask in (tmp_path / "ids.png", Image.fromarray(_IDS), _CLASSES):
        np.testing.assert_array_equal(_one(mask), _CLASSES)
    for masks in (tmp_path, [tmp_path / "ids.png", _CLASSES], np.stack([_CLASSES] * 2)):
        given = given_masks(masks, _SCHEMA)
        assert not given.is_one
        for mask in given.items:
            np.testing.assert_array_equal(mask, _CLASSES)


def test_a_model_of_coloured_masks_takes_them_in_every_form(tmp_path):
    Image.fromarray(_COLOURED).save(tmp_path / "coloured.png")
    for mask in (tmp_path / "coloured.png", Image.fromarray(_COLOURED), _COLOURED, _CLASSES):
        np.testing.assert_array_equal(_one(mask, _COLOURS), _CLASSES)
    assert len(given_masks(np.stack([_COLOURED] * 2), _SCHEMA, _COLOURS).items) == 2


def test_a_mask_of_this_project_holds_ids_for_a_model_of_coloured_masks_too(tmp_path):
    write_ids(tmp_path / "made.png", _IDS, Made.MASK)
    np.testing.assert_array_equal(_one(tmp_path / "made.png", _COLOURS), _CLASSES)


def test_errors_about_a_trained_model_name_no_key_of_the_config(tmp_path):
    Image.fromarray(_COLOURED).save(tmp_path / "coloured.png")
    red = _COLOURED * np.uint8([1, 0, 0])
    red[0, 0] = (9, 0, 0)
    Image.fromarray(red).save(tmp_path / "red.png")
    for name, colours, message in (
        ("coloured.png", (), "Save the id of each pixel in a PNG"),
        ("red.png", (), "If red holds the ids"),
        ("red.png", _COLOURS, "none of the model's classes, whose colours are #0000ff, #808080"),
    ):
        with pytest.raises(DataError, match=message) as caught:
            read_condition(tmp_path / name, _SCHEMA, colours)
        assert "config." not in str(caught.value)


def test_unknown_pixels_are_for_models_that_have_learned_from_them(tmp_path):
    knows = dataclasses.replace(_SCHEMA, unknown_ids=(200,))
    holes, with_holes = np.array([[7, 255, 200]], np.uint8), np.array([[0, -1, -1]])
    Image.fromarray(holes).save(tmp_path / "holes.png")
    for mask in (tmp_path / "holes.png", Image.fromarray(holes), with_holes):
        (found,) = given_masks(mask, knows).items
        np.testing.assert_array_equal(found, with_holes)
    with pytest.raises(ValueError, match="unknown pixels .-1., but this model was trained with wh"):
        given_masks(with_holes, _SCHEMA)
    with pytest.raises(DataError, match="has unsure pixels .id 255., but this model"):
        given_masks(Image.fromarray(holes[:, :2]), _SCHEMA)


def test_a_mask_whose_sides_are_left_out_is_told(tiny_experiment, log):
    preparation = tiny_experiment().preparation
    assert fitted_mask(np.zeros((16, 16), int), preparation, "x.png").shape == (8, 8)
    assert log.text == ""
    assert fitted_mask(np.zeros((16, 40), int), preparation, "x.png").shape == (8, 8)
    assert "x.png is 40x16 (width x height), of which the model's images show the middle 16x16" in (
        log.text
    )


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (np.zeros((2, 3, 3), np.float32), "float32; give integers"),
        (np.full((3, 3), 3), "3 to 3; the classes are 0 to 2: sky, road, tree"),
        (np.zeros(3, int), r"shape \(3,\); this model takes \[height, width\]"),
        ([], "There is no mask"),
        (None, "The masks are None"),
        ("none.png", r"masks is 'none\.png', which does not exist"),
    ],
)
def test_what_is_no_mask_is_refused(masks, message):
    with pytest.raises(ValueError, match=message):
        given_masks(masks, _SCHEMA)


def test_labels_are_numbers_or_names():
    for one in (2, np.int32(2), "tree"):
        given = given_labels(one, _SCHEMA)
        assert given.is_one and given.items == [2]
    for several in ([2, "sky"], np.array([2, 0]), ("tree", 0)):
        given = given_labels(several, _SCHEMA)
        assert not given.is_one and given.items == [2, 0]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("tre", r"'tre' is no class of this model\. Did you mean 'tree'"),
        ([[0, 1]], r"shape \(1, 2\); this model takes \('batch',\)"),
        ([0.5], "float64; give integers"),
        ([3], "3 to 3; the classes are 0 to 2: sky"),
        ([], "There is no label"),
    ],
)
def test_what_is_no_label_is_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        given_labels(labels, _SCHEMA)
