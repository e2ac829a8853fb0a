"""Images that are in both splits, or several times in one, are found by their pixels."""

import shutil

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.preparation.check_data import check_data
from symmflow_jax.preparation.survey import duplicates
from symmflow_jax.preparation.survey.duplicates import Seen


@pytest.fixture
def photos(folder, tmp_path):
    """An experiment with six different photos in each split."""
    experiment = folder([np.eye(8, dtype=int)] * 6)
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for path in sorted((tmp_path / split / "images").iterdir()):
            Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8)).save(path)
    return experiment


def _doubts(caplog):
    return [line for line in caplog.messages if "training images too" in line or "copies" in line]


def test_different_photos_raise_no_doubt(photos, caplog):
    with caplog.at_level("INFO"):
        assert check_data(photos)
    assert _doubts(caplog) == []


def test_an_image_in_both_splits_is_named_in_any_format(photos, tmp_path, caplog):
    with Image.open(tmp_path / "train/images/4.png") as picture:
        picture.save(tmp_path / "val/images/1.bmp")
    (tmp_path / "val/images/1.png").unlink()
    with caplog.at_level("INFO"):
        assert check_data(photos)
    (line,) = _doubts(caplog)
    assert line == (
        "? 1 of 6 evaluation images are training images too, pixel by pixel "
        "(val/images/1.bmp is train/images/4.png). Their scores tell what was learned by heart: "
        "remove them from one of the splits."
    )


def test_copies_within_a_split_with_other_masks_are_named(photos, tmp_path, caplog):
    for number in (2, 3):
        shutil.copy(tmp_path / "train/images/0.png", tmp_path / f"train/images/{number}.png")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "train/masks/3.png")
    with caplog.at_level("INFO"):
        assert check_data(photos)
    (line,) = _doubts(caplog)
    assert line == (
        "? The training split has 2 copies of its own images (0.png = 2.png = 3.png). For 1 of "
        "these, masks or labels differ: look at them. Remove the copies, unless they shall weigh "
        "more."
    )


def test_equal_bytes_of_another_shape_are_another_image():
    pixels = np.arange(24, dtype=np.uint8)
    seen = [
        Seen.of_arrays(name, pixels.reshape(shape), np.int32(0))
        for name, shape in (("a", (2, 4, 3)), ("b", (4, 2, 3)), ("c", (2, 4, 3)))
    ]
    assert [[one.name for one in group] for group in duplicates.within(seen)] == [["a", "c"]]
    assert duplicates.between(seen[:1], seen[1:]) == [(seen[2], seen[0])]
