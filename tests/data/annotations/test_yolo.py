"""Text files of YOLO against the masks that Ultralytics draws of them."""

import pathlib

import numpy as np
import pytest

from symmflow_jax.data.annotations.yolo import YoloImage, labels_folder, read_names, read_polygons
from symmflow_jax.data.source import DataError

FOLDER = pathlib.Path(__file__).parents[2] / "fixtures" / "own_data" / "yolo"
KNOWN = frozenset({0, 1, 2})


def _image(path, drawn=KNOWN):
    return YoloImage(path, KNOWN, drawn, background=3)


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_masks_are_those_of_ultralytics(name):
    with np.load(FOLDER / "masks.npz") as masks:
        mask = masks[name]
    found = _image(FOLDER / "labels" / "train" / f"{name}.txt").ids(mask.shape)
    np.testing.assert_array_equal(found, mask)


def test_classes_that_are_not_drawn_are_background():
    ids = _image(FOLDER / "labels" / "train" / "a.txt", frozenset({0})).ids((29, 37))
    assert set(np.unique(ids)) == {0, 3}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 0.5 0.5 0.2 0.2", "line 1 is a box, which gives no mask"),
        ("0 0.5 0.5 0.2 0.2 0.1", "has 5 numbers, not x and y of at least 3 points"),
        ("0 5 5 20 5 20 20", "has points from 5 to 20; they are shares"),
        ("4 0 0 1 0 1 1", r"has the class 4, but the classes are \[0, 1, 2\]; name it"),
        ("car 0 0 1 0 1 1", "is no class with the points of a polygon"),
        ("0 0 0 1 0 1 nan", "has points from nan"),
    ],
)
def test_other_lines_are_refused(tmp_path, line, message):
    (tmp_path / "a.txt").write_text(f"{line}\n")
    with pytest.raises(DataError, match=rf"a.txt, {message}" if "line" in message else message):
        read_polygons(tmp_path / "a.txt", KNOWN)


def test_names_stand_in_a_list_or_by_number(tmp_path):
    assert read_names(FOLDER) == {0: "car", 1: "person", 2: "tree"}
    assert read_names(tmp_path) == {}
    (tmp_path / "data.yaml").write_text("names: [road, car]")
    assert read_names(tmp_path) == {0: "road", 1: "car"}
    (tmp_path / "data.yaml").write_text("nc: 2")
    with pytest.raises(DataError, match="data.yaml has no names of classes"):
        read_names(tmp_path)


def test_text_files_lie_beside_the_images():
    path = pathlib.PurePosixPath
    assert labels_folder(path("set/images/train")) == path("set/labels/train")
    assert labels_folder(path("images/set/train/images")) == path("images/set/train/labels")
    assert labels_folder(path("set/train")) == path("set/train")
