"""COCO-Stuff in its official layout, against a reading by plain Pillow and NumPy."""

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.segmentation import coco_stuff
from symmflow_jax.data.sources.segmentation.coco_stuff import SCHEMA, CocoStuff
from symmflow_jax.semantics.palette_mask import PaletteMask

NEVER = (11, 25, 28, 29, 44, 65, 67, 68, 70, 82, 90)


@pytest.fixture
def root(tmp_path):
    images = tmp_path / "val2017"
    masks = tmp_path / "stuffthingmaps_trainval2017" / "val2017"
    images.mkdir(parents=True)
    masks.mkdir(parents=True)
    rng = np.random.default_rng(0)
    allowed = np.array([i for i in (*range(182), 255) if i not in NEVER], np.uint8)
    for number, size in enumerate([(7, 9), (12, 5)]):
        pixels = rng.integers(0, 256, (*size, 3), np.uint8)
        Image.fromarray(pixels).save(images / f"{number:012d}.jpg")
        Image.fromarray(rng.choice(allowed, size)).save(masks / f"{number:012d}.png")
    return tmp_path


def test_every_pixel_is_that_of_the_files(root):
    source = CocoStuff(root, "val")
    assert len(source) == 2
    for number in range(2):
        element = source[number]
        with Image.open(root / "val2017" / f"{number:012d}.jpg") as picture:
            np.testing.assert_array_equal(element["image"], np.asarray(picture))
        folder = root / "stuffthingmaps_trainval2017" / "val2017"
        with Image.open(folder / f"{number:012d}.png") as picture:
            ids = np.asarray(picture).astype(int)
        # Squeezed by counting the absent ids below each one; unlabeled comes last.
        below = np.sum(ids[..., None] > np.array(NEVER), axis=-1)
        np.testing.assert_array_equal(element["mask"], np.where(ids == 255, 171, ids - below))


def test_classes_as_published():
    assert SCHEMA.num_classes == 172 and SCHEMA.ignored == (171,)
    by_id = dict(zip(SCHEMA.raw_ids, SCHEMA.names, strict=True))
    expected = {0: "person", 16: "cat", 72: "laptop", 89: "toothbrush", 91: "banner",
                123: "grass", 168: "tree", 181: "wood", 255: "unlabeled"}  # fmt: skip
    assert {raw_id: by_id[raw_id] for raw_id in expected} == expected
    assert not set(NEVER) & set(by_id)
    assert SCHEMA.palette[0] == (0, 0, 0) and SCHEMA.palette[-1] == (250, 250, 250)
    assert len(set(SCHEMA.palette)) == 172


def test_a_perfect_picture_in_published_colours_is_read_without_an_error():
    raw = np.array([i for i in (*range(182), 255) if i not in NEVER])
    raw = np.random.default_rng(0).permutation(np.tile(raw, 4)).reshape(8, -1)
    # The published loader: number `id` of the lattice of 6 levels 50 apart, 255 its last one.
    colours = np.stack([raw // 36, raw // 6 % 6, raw % 6], axis=-1)
    colours = 50 * np.where(raw[..., None] == 255, 5, colours)
    signal = jnp.asarray(colours, jnp.float32) / 127.5 - 1.0
    read = PaletteMask(SCHEMA.palette, 6.0).decode(signal)
    accuracy = np.mean(np.asarray(read) == SCHEMA.from_raw(raw, "mask"))
    assert accuracy == 1.0


def test_an_id_that_never_occurs_is_an_error(root):
    mask = root / "stuffthingmaps_trainval2017" / "val2017" / f"{0:012d}.png"
    Image.fromarray(np.full((7, 9), 25, np.uint8)).save(mask)
    with pytest.raises(DataError, match=r"000000000000\.png: ids 25 are outside the class list"):
        CocoStuff(root, "val")[0]


@pytest.mark.parametrize(
    ("missing", "archive"),
    [
        ("val2017", "val2017.zip"),
        ("stuffthingmaps_trainval2017", "stuffthingmaps_trainval2017.zip"),
    ],
)
def test_a_missing_folder_names_its_archive(root, missing, archive):
    (root / missing).rename(root / "elsewhere")
    with pytest.raises(DataError, match=f"does not exist. Unpack {archive}"):
        CocoStuff(root, "val")


def test_another_split_is_refused(root):
    with pytest.raises(ValueError, match="no split 'test'; choose one of train, val"):
        CocoStuff(root, "test")


def test_the_names_are_in_the_order_of_their_ids():
    assert len(coco_stuff.SCHEMA.raw_ids) == len(set(coco_stuff.SCHEMA.raw_ids))
    assert list(coco_stuff.SCHEMA.raw_ids) == sorted(coco_stuff.SCHEMA.raw_ids)


def test_what_is_not_used_is_named(root):
    (root / "val2017" / "instances.json").touch()
    (root / "val2017" / "._000000000000.jpg").touch()
    folder = root / "val2017"
    assert CocoStuff(root, "val").notes == (
        f"{folder}: 2 pairs; not used in {folder}: 1 file of another kind (.json 1; .json: draw "
        "polygons into a .png of ids).",
    )
