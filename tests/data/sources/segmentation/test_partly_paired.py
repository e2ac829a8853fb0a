"""Folders in which some images have no mask, and some masks no image."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.segmentation.partly_paired import PartlyPaired
from symmflow_jax.flow.state import JointState
from symmflow_jax.semantics.labels import consecutive

_SCHEMA = consecutive(("sky", "road"), ignored_id=255)


def _write(folder, names, level):
    folder.mkdir()
    for name in names:
        Image.fromarray(np.full((4, 6), level, np.uint8)).save(folder / f"{name}.png")


@pytest.fixture
def folders(tmp_path):
    _write(tmp_path / "images", "abcd", 90)
    _write(tmp_path / "masks", "be", 1)
    return tmp_path / "images", tmp_path / "masks"


def test_files_without_a_partner_are_kept_apart(folders):
    source = PartlyPaired(*folders, _SCHEMA)
    assert [path.stem for pair in source.pairs for path in pair] == ["b", "b"]
    rest, complete = source.incomplete.source, source.incomplete.complete
    assert complete == JointState(0.75, 0.25)
    assert [path.stem for path in rest.files] == ["a", "c", "d", "e"]
    assert [sorted(rest[i]) for i in range(4)] == [["image"]] * 3 + [["mask"]]
    np.testing.assert_array_equal(rest[3]["mask"], np.ones((4, 6)))
    (note,) = source.notes
    assert "1 pair, 3 images without a mask and 1 mask without an image" in note


def test_a_mask_without_an_image_is_checked_as_others(folders):
    images, masks = folders
    Image.fromarray(np.full((4, 6), 7, np.uint8)).save(masks / "e.png")
    with pytest.raises(DataError, match=r"e\.png: ids 7 are outside the class list"):
        PartlyPaired(images, masks, _SCHEMA).incomplete.source[3]


def test_complete_folders_have_no_rest(tmp_path):
    _write(tmp_path / "i", "a", 0)
    _write(tmp_path / "m", "a", 0)
    assert PartlyPaired(tmp_path / "i", tmp_path / "m", _SCHEMA).incomplete is None


def test_folders_without_any_pair_are_told(tmp_path):
    _write(tmp_path / "i", "ab", 0)
    _write(tmp_path / "m", "cd", 0)
    with pytest.raises(DataError, match="No image in .* has a mask of its name"):
        PartlyPaired(tmp_path / "i", tmp_path / "m", _SCHEMA)
    with pytest.raises(DataError, match="each needs a folder of its own"):
        PartlyPaired(tmp_path / "i", tmp_path / "i", _SCHEMA)
