"""ADE20K in the layout of the scene parsing challenge."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.segmentation.ade20k import SCHEMA, Ade20k


@pytest.fixture
def root(tmp_path):
    for kind in ("images", "annotations"):
        (tmp_path / kind / "validation").mkdir(parents=True)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (11, 16, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "images/validation/ADE_val_00000001.jpg")
    ids = rng.integers(0, 151, (11, 16)).astype(np.uint8)
    Image.fromarray(ids).save(tmp_path / "annotations/validation/ADE_val_00000001.png")
    return tmp_path


def test_ids_are_shifted_by_one_and_zero_is_unlabeled(root):
    element = Ade20k(root, "val")[0]
    with Image.open(root / "images/validation/ADE_val_00000001.jpg") as picture:
        np.testing.assert_array_equal(element["image"], np.asarray(picture))
    with Image.open(root / "annotations/validation/ADE_val_00000001.png") as picture:
        ids = np.asarray(picture).astype(int)
    np.testing.assert_array_equal(element["mask"], (ids - 1) % 151)


def test_classes_as_published():
    assert SCHEMA.num_classes == 151 and SCHEMA.ignored == (150,)
    by_id = dict(zip(SCHEMA.raw_ids, SCHEMA.names, strict=True))
    expected = {1: "wall", 2: "building", 3: "sky", 13: "person", 21: "car", 67: "flower",
                101: "poster", 127: "animal", 150: "flag", 0: "unlabeled"}  # fmt: skip
    assert {raw_id: by_id[raw_id] for raw_id in expected} == expected
    assert len(set(SCHEMA.palette)) == 151


def test_a_missing_folder_says_how_to_get_it(root):
    with pytest.raises(DataError, match=r"images/training does not exist.*ADEChallengeData2016"):
        Ade20k(root, "train")
