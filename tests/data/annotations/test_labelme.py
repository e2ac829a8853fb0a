"""JSON files of LabelMe against the masks that LabelMe draws of them."""

import json
import pathlib

import numpy as np
import pytest

from symmflow_jax.data.annotations.labelme import LabelmeImage, labels_of, read_label_list
from symmflow_jax.data.source import DataError

FOLDER = pathlib.Path(__file__).parents[2] / "fixtures" / "own_data" / "labelme"
NUMBERS = {"_background_": 0, "car": 1, "person": 2, "tree": 3}


@pytest.fixture
def changed(tmp_path):
    """A function that writes the first file with another first shape; returns its annotation."""

    def write(**shape) -> LabelmeImage:
        values = json.loads((FOLDER / "a.json").read_text())
        values["shapes"][0].update(shape)
        (tmp_path / "a.json").write_text(json.dumps(values))
        return LabelmeImage(tmp_path / "a.json", NUMBERS, 0)

    return write


@pytest.mark.parametrize("name", ["a", "b"])
def test_masks_are_those_of_labelme(name):
    with np.load(FOLDER / "masks.npz") as masks:
        mask = masks[name]
    found = LabelmeImage(FOLDER / f"{name}.json", NUMBERS, 0).ids(mask.shape)
    np.testing.assert_array_equal(found, mask)


def test_labels_without_a_number_are_not_drawn():
    ids = LabelmeImage(FOLDER / "a.json", {"person": 700}, 300).ids((29, 37))
    assert set(np.unique(ids)) == {300, 700}


def test_labels_are_listed_in_the_order_of_the_shapes():
    assert labels_of(FOLDER / "a.json") == ["car", "person", "_background_"]


def test_a_list_of_labels_has_those_of_labelme_too(tmp_path):
    (tmp_path / "labels.txt").write_text("__ignore__\n_background_\ncar\n\nperson\n")
    assert read_label_list(tmp_path / "labels.txt") == ("car", "person")


def test_shapes_that_cannot_be_drawn_are_named(changed):
    with pytest.raises(DataError, match=r"a.json: shape 0 \(car\) is of the type 'spline'"):
        changed(shape_type="spline").ids((29, 37))
    with pytest.raises(DataError, match=r"shape 0 \(car\) is a polygon of 2 points; it needs 3"):
        changed(points=[[1, 1], [2, 2]]).ids((29, 37))
    with pytest.raises(DataError, match=r"is no JSON file of LabelMe .*a mask is no PNG"):
        changed(shape_type="mask", mask="AAAA").ids((29, 37))
    with pytest.raises(DataError, match="is for a.png of 37x29 .*has 38x29"):
        changed().ids((29, 38))


def test_other_json_files_are_refused(tmp_path):
    (tmp_path / "a.json").write_text('{"images": []}')
    with pytest.raises(DataError, match=r"a.json is no JSON file of LabelMe .*save it again"):
        labels_of(tmp_path / "a.json")
    with pytest.raises(DataError, match=r"a.json is no JSON file of LabelMe"):
        LabelmeImage(tmp_path / "a.json", NUMBERS, 0).ids((29, 37))
