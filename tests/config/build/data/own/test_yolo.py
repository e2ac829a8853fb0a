"""Images with the text files of YOLO."""

import logging

import numpy as np

from tests.config.build.data.own.forms import YOLO, masks_of, stored_masks


def test_yolo_gives_the_masks_of_ultralytics(opened, caplog):
    with caplog.at_level(logging.INFO):
        source = opened("yolo_polygons", "yolo", **YOLO)
    (schema,) = source.schemas.values()
    assert schema.names == ("background", "car", "person", "tree")
    assert schema.raw_ids == (3, 0, 1, 2)
    for name, mask in stored_masks("yolo").items():
        np.testing.assert_array_equal(schema.to_raw(masks_of(source)[name]), mask)
    assert "1 image without a text file is all background" in caplog.text
