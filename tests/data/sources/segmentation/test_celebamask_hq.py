"""CelebAMask-HQ: parts laid over each other, splits, and mirrors."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data import transforms
from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.segmentation.celebamask_hq import SCHEMA, CelebAMaskHQ

PARTS = ("skin", "nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "l_ear", "r_ear", "mouth",
         "u_lip", "l_lip", "hair", "hat", "ear_r", "neck_l", "neck", "cloth")  # fmt: skip
SIDE = 8


def write_part(root, number, part, present):
    folder = root / "CelebAMask-HQ-mask-anno" / str(number // 2000)
    folder.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(np.uint8(255) * present.astype(np.uint8)).convert("RGB")
    picture.save(folder / f"{number:05d}_{part}.png")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "CelebA-HQ-img").mkdir()
    rng = np.random.default_rng(0)
    for number in (0, 1, 2, 10, 2001):
        pixels = rng.integers(0, 256, (2 * SIDE, 2 * SIDE, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "CelebA-HQ-img" / f"{number}.jpg")
        for part in rng.choice(PARTS, 6, replace=False):
            write_part(tmp_path, number, part, rng.random((SIDE, SIDE)) < 0.4)
    lines = ["idx orig_idx orig_file", "0 119613 119614.jpg", "1 162770 x", "2 162771 x",
             "10 182637 x", "2001 182638 x"]  # fmt: skip
    (tmp_path / "CelebA-HQ-to-CelebA-mapping.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


def merged_by_hand(root, number):
    mask = np.zeros((SIDE, SIDE), int)
    for part_id, part in enumerate(PARTS, start=1):
        path = root / f"CelebAMask-HQ-mask-anno/{number // 2000}/{number:05d}_{part}.png"
        if path.exists():
            with Image.open(path) as picture:
                mask[np.asarray(picture.convert("L")) > 127] = part_id
    return mask


def test_every_pixel_is_that_of_the_files(root):
    source = CelebAMaskHQ(root, "train")
    assert len(source) == 2
    for index, number in enumerate((0, 1)):
        element = source[index]
        with Image.open(root / f"CelebA-HQ-img/{number}.jpg") as picture:
            np.testing.assert_array_equal(element["image"], np.asarray(picture))
        expected = merged_by_hand(root, number)
        np.testing.assert_array_equal(element["mask"], np.kron(expected, np.ones((2, 2), int)))
        assert element["mask"].dtype == np.int32
        small = transforms.resize_mask(element["mask"], (SIDE, SIDE))
        np.testing.assert_array_equal(small, expected)


def test_the_split_is_that_of_celeba(root):
    sizes = {split: len(CelebAMaskHQ(root, split)) for split in ("train", "val", "test")}
    assert sizes == {"train": 2, "val": 2, "test": 1}


def test_without_the_mapping_the_split_is_by_number(root):
    (root / "CelebA-HQ-to-CelebA-mapping.txt").unlink()
    sizes = {split: len(CelebAMaskHQ(root, split)) for split in ("train", "val", "test")}
    assert sizes == {"train": 4, "val": 0, "test": 1}


def test_a_merged_mask_is_kept_and_read_again(root):
    first = CelebAMaskHQ(root, "train")[0]["mask"]
    assert (root / "CelebAMask-HQ-mask" / "0.png").exists()
    for path in (root / "CelebAMask-HQ-mask-anno").rglob("*.png"):
        path.unlink()
    np.testing.assert_array_equal(CelebAMaskHQ(root, "train")[0]["mask"], first)
    with pytest.raises(DataError, match="Face 1 has no parts 00001_"):
        CelebAMaskHQ(root, "train")[1]


def test_a_kept_mask_whose_parts_changed_is_merged_again(root):
    CelebAMaskHQ(root, "train")[0]
    merged = root / "CelebAMask-HQ-mask" / "0.png"
    before = merged.read_bytes()
    CelebAMaskHQ(root, "train")[0]
    assert merged.read_bytes() == before
    write_part(root, 0, "cloth", np.ones((SIDE, SIDE), bool))
    assert (CelebAMaskHQ(root, "train")[0]["mask"] == PARTS.index("cloth") + 1).all()
    assert merged.read_bytes() != before


def test_a_merged_mask_from_elsewhere_is_kept(root):
    (root / "CelebAMask-HQ-mask").mkdir()
    merged = root / "CelebAMask-HQ-mask" / "0.png"
    Image.fromarray(np.full((SIDE, SIDE), 3, np.uint8)).save(merged)
    before = merged.read_bytes()
    assert (CelebAMaskHQ(root, "train")[0]["mask"] == 3).all()
    assert merged.read_bytes() == before


def test_masks_that_cannot_be_kept_are_read_all_the_same(root):
    (root / "CelebAMask-HQ-mask").write_text("a file where the folder would be")
    source = CelebAMaskHQ(root, "train")
    expected = np.kron(merged_by_hand(root, 0), np.ones((2, 2), int))
    np.testing.assert_array_equal(source[0]["mask"], expected)


def test_a_mirror_swaps_the_persons_sides():
    names = dict(enumerate(SCHEMA.names))
    sides = [(names[first], names[second]) for first, second in SCHEMA.mirrored]
    assert sides == [("l_eye", "r_eye"), ("l_brow", "r_brow"), ("l_ear", "r_ear")]
    mask = np.array([[4, 5, 6, 7, 8, 9, 1, 12]], np.int32)
    example = {"image": np.zeros((1, 8, 3), np.uint8), "labels": mask}

    class AlwaysMirror:
        def random(self):
            return 0.9

    mirrored = transforms.random_flip(example, AlwaysMirror(), SCHEMA.mirrored)["labels"]
    np.testing.assert_array_equal(mirrored, [[12, 1, 8, 9, 6, 7, 4, 5]])


def test_a_broken_mapping_is_named(root):
    (root / "CelebA-HQ-to-CelebA-mapping.txt").write_text("idx orig_idx\n0 many\n")
    with pytest.raises(DataError, match="mapping.txt is broken"):
        CelebAMaskHQ(root, "train")


def test_missing_faces_say_how_to_get_them(tmp_path):
    with pytest.raises(DataError, match=r"has no faces N\.jpg\. Unpack CelebAMask-HQ\.zip"):
        CelebAMaskHQ(tmp_path, "train")
