"""Cityscapes in its official layout."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.segmentation.cityscapes import SCHEMA, Cityscapes

TRAIN_IDS = {7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10, 24: 11,
             25: 12, 26: 13, 27: 14, 28: 15, 31: 16, 32: 17, 33: 18}  # fmt: skip


@pytest.fixture
def root(tmp_path):
    rng = np.random.default_rng(0)
    for city, scene in (("bonn", "bonn_000000_000019"), ("aachen", "aachen_000001_000019")):
        images, masks = tmp_path / "leftImg8bit/val" / city, tmp_path / "gtFine/val" / city
        images.mkdir(parents=True)
        masks.mkdir(parents=True)
        pixels = rng.integers(0, 256, (8, 16, 3), np.uint8)
        Image.fromarray(pixels).save(images / f"{scene}_leftImg8bit.png")
        ids = rng.integers(0, 34, (8, 16)).astype(np.uint8)
        Image.fromarray(ids).save(masks / f"{scene}_gtFine_labelIds.png")
        # The other files of the archive are left alone.
        Image.fromarray(ids).save(masks / f"{scene}_gtFine_instanceIds.png")
    return tmp_path


def test_every_pixel_is_that_of_the_files(root):
    source = Cityscapes(root, "val")
    assert len(source) == 2
    for index, scene in enumerate(("aachen/aachen_000001_000019", "bonn/bonn_000000_000019")):
        element = source[index]
        with Image.open(root / f"leftImg8bit/val/{scene}_leftImg8bit.png") as picture:
            np.testing.assert_array_equal(element["image"], np.asarray(picture))
        with Image.open(root / f"gtFine/val/{scene}_gtFine_labelIds.png") as picture:
            ids = np.asarray(picture)
        expected = np.vectorize(lambda raw_id: TRAIN_IDS.get(int(raw_id), 19))(ids)
        np.testing.assert_array_equal(element["mask"], expected)


def test_classes_as_published():
    assert SCHEMA.num_classes == 20 and SCHEMA.ignored == (19,)
    assert SCHEMA.names[0] == "road" and SCHEMA.names[13] == "car" and SCHEMA.names[18] == "bicycle"
    assert set(SCHEMA.raw_ids) | {raw_id for raw_id, _ in SCHEMA.merged_ids} == set(range(34))


def test_a_scene_without_mask_is_named(root):
    (root / "gtFine/val/bonn/bonn_000000_000019_gtFine_labelIds.png").unlink()
    with pytest.raises(DataError, match=r"1 scenes .* such as bonn/bonn_000000_000019"):
        Cityscapes(root, "val")


def test_a_missing_archive_is_named(root):
    with pytest.raises(DataError, match=r"leftImg8bit_trainvaltest\.zip"):
        Cityscapes(root, "train")


def test_files_of_another_name_are_counted_and_leftovers_passed_over(root):
    assert Cityscapes(root, "val").notes == ()
    for folder, ending in (("leftImg8bit", "leftImg8bit"), ("gtFine", "gtFine_labelIds")):
        (root / folder / f"val/bonn/._bonn_000000_000019_{ending}.png").touch()
    (root / "leftImg8bit/val/bonn/bonn_000000_000020_leftImg8bit.jpg").touch()
    source = Cityscapes(root, "val")
    assert len(source) == 2
    folder = root / "leftImg8bit/val"
    assert source.notes == (
        f"{folder}: 2 pairs; not used in {folder}: 1 file of another name, such as "
        "bonn/bonn_000000_000020_leftImg8bit.jpg.",
    )
