"""JSON files of COCO against pycocotools' own reading of them."""

import dataclasses
import json
import pathlib

import numpy as np
import pytest
from pycocotools.coco import COCO

from symmflow_jax.data.annotations.coco import read_coco
from symmflow_jax.data.source import DataError

FILE = pathlib.Path(__file__).parents[2] / "fixtures" / "own_data" / "coco" / "instances.json"
DRAWN = frozenset({1, 3, 7})


@pytest.fixture
def changed(tmp_path):
    """A function that writes the file with changes to its values, and returns its path."""

    def write(change) -> pathlib.Path:
        values = json.loads(FILE.read_text())
        change(values)
        (tmp_path / "changed.json").write_text(json.dumps(values))
        return tmp_path / "changed.json"

    return write


def _as_drawn(image):
    return dataclasses.replace(image, drawn=DRAWN).ids((image.height, image.width))


def test_masks_are_those_of_pycocotools_with_small_regions_over_large_ones():
    found, reference = read_coco(FILE), COCO(FILE)
    assert found.categories == {1: "car", 3: "person", 7: "tree"}
    assert list(found.images) == ["a.png", "c.png", "sub/b.png"]
    for entry in reference.loadImgs(reference.getImgIds()):
        annotations = reference.loadAnns(reference.getAnnIds(entry["id"], iscrowd=None))
        regions = [(reference.annToMask(one), one["category_id"]) for one in annotations]
        mask = np.zeros((entry["height"], entry["width"]), int)
        for region, category in sorted(regions, key=lambda one: -int(one[0].sum())):
            mask = np.where(region, category, mask)
        np.testing.assert_array_equal(_as_drawn(found.images[entry["file_name"]]), mask)
    assert set(np.unique(_as_drawn(found.images["a.png"]))) == {0, 1, 3, 7}


def test_categories_that_are_not_drawn_hide_nothing():
    image = read_coco(FILE).images["a.png"]
    ids = dataclasses.replace(image, drawn=frozenset({1}), background=9).ids((29, 37))
    assert set(np.unique(ids)) == {1, 9}
    assert (ids == 1).sum() > (_as_drawn(image) == 1).sum()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.pop("categories"), r"changed.json is no JSON file of COCO .*KeyError"),
        (lambda v: v["categories"].pop(), r"has annotations of the categories 7, which its list"),
        (lambda v: v["images"][1].update(file_name="a.png"), r"several images of one .*a.png"),
        (
            lambda v: [one.update(segmentation=[]) for one in v["annotations"]],
            r"has 5 boxes and no segmentation",
        ),
    ],
)
def test_files_that_would_be_misread_are_refused(changed, change, message):
    with pytest.raises(DataError, match=message):
        read_coco(changed(change))


def test_regions_that_cannot_be_drawn_are_named(changed):
    path = changed(lambda v: v["annotations"][0].update(segmentation=[[1, 2, 3, 4]]))
    with pytest.raises(DataError, match=r"annotation 0 .*a.png.* .a polygon has 4 numbers"):
        _as_drawn(read_coco(path).images["a.png"])
    path = changed(lambda v: v["annotations"][3]["segmentation"].update(size=[37, 29]))
    with pytest.raises(DataError, match=r"has the size \[37, 29\], and the image \[29, 37\]"):
        _as_drawn(read_coco(path).images["sub/b.png"])
    with pytest.raises(DataError, match=r"a.png of 37x29 .*has 29x37 pixels.*EXIF"):
        read_coco(FILE).images["a.png"].ids((37, 29))


def test_boxes_beside_regions_are_counted(changed):
    path = changed(lambda v: v["annotations"][0].update(segmentation=[]))
    assert read_coco(path).num_boxes == 1
