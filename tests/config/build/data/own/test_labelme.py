"""Images with the JSON files of LabelMe."""

import json
import logging
import shutil

import numpy as np
import pytest

from symmflow_jax.data.source import DataError
from tests.config.build.data.own.forms import FORMS, LABELME, masks_of, stored_masks


def test_labelme_gives_its_own_masks(opened, caplog):
    source = opened("labelme", "labelme", **LABELME)
    (schema,) = source.schemas.values()
    assert schema.names == ("background", "car", "person", "tree")
    for name, mask in stored_masks("labelme").items():
        np.testing.assert_array_equal(masks_of(source)[name], mask)
    with pytest.raises(DataError, match=r"labels in .* are car, person, tree. Name those to learn"):
        opened("labelme", "labelme", train_images=".")
    with caplog.at_level(logging.INFO):
        opened("labelme", "labelme", train_images=".", class_names=("car", "tree"))
    assert "leaves them out: 1 label, person" in caplog.text


def test_an_ignored_label_of_labelme_needs_an_id(opened, tmp_path):
    values = json.loads((FORMS / "labelme" / "a.json").read_text())
    values["shapes"][1]["label"] = "__ignore__"
    (tmp_path / "a.json").write_text(json.dumps(values))
    shutil.copy(FORMS / "labelme" / "a.png", tmp_path)
    keys = {"train_images": ".", "class_names": ("car",)}
    with pytest.raises(DataError, match="shapes of the label __ignore__.*ignored_id=255"):
        opened("labelme", tmp_path, **keys)
    source = opened("labelme", tmp_path, **keys, ignored_id=255)
    (schema,) = source.schemas.values()
    assert schema.names == ("background", "car", "void") and schema.ignored == (2,)
    assert (source[0]["mask"] == 2).any()
