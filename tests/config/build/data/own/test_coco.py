"""Images with a JSON file of COCO."""

import logging

import numpy as np
import pytest

from symmflow_jax.data.source import DataError
from tests.config.build.data.own.forms import COCO, masks_of


def test_coco_gives_classes_by_category(opened):
    source = opened("coco_json", "coco", **COCO)
    (schema,) = source.schemas.values()
    assert (schema.names, schema.raw_ids) == (
        ("background", "car", "person", "tree"),
        (0, 1, 3, 7),
    )
    masks = masks_of(source)
    assert list(masks) == ["a.png", "c.png", "sub/b.png"]
    assert not masks["c.png"].any() and set(np.unique(masks["a.png"])) == {0, 1, 2, 3}
    assert source.files[-1].name == "instances.json" and len(source.files) == 4


def test_labels_that_are_left_out_are_told(opened, caplog):
    keys = {"class_names": ("thing",), "class_labels": (("car", "person"),)}
    with caplog.at_level(logging.INFO):
        source = opened("coco_json", "coco", **COCO, **keys)
    assert "read as background, because config.data.class_names leaves them out: 1 label, tree" in (
        caplog.text
    )
    whole = masks_of(opened("coco_json", "coco", **COCO))
    merged = masks_of(source)
    # A tree hides nothing here, since it is not drawn.
    visible = whole["a.png"] != 3
    expected = np.isin(whole["a.png"], (1, 2))
    np.testing.assert_array_equal(merged["a.png"][visible], expected[visible])
    assert not merged["sub/b.png"][whole["sub/b.png"] == 0].any()


def test_images_that_the_json_names_must_be_there(opened):
    with pytest.raises(DataError, match=r"3 images of .*instances.json are not in .*yolo.*: a.png"):
        opened(
            "coco_json",
            "yolo",
            train_images="labels/../images",
            train_annotations="../coco/instances.json",
        )
    with pytest.raises(DataError, match=r"images has 0 JSON files; set --config.data.train_anno"):
        opened("coco_json", "coco", train_images="images")
