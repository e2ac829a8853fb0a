"""Folders of images and id masks, and what may be wrong with them."""

import os
import pathlib
import pickle
import unicodedata

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.segmentation.paired_folder import PairedFolder
from symmflow_jax.semantics import labels

SCHEMA = labels.consecutive(("sky", "road", "tree"), ignored_id=255)
HEIGHT, WIDTH = 6, 8


def random_image(seed=0, channels=(3,)):
    rng = np.random.default_rng(seed)
    return rng.integers(256, size=(HEIGHT, WIDTH, *channels), dtype=np.uint8)


def random_ids(seed=0):
    choices = np.array([0, 1, 2, 255], np.uint8)
    return np.random.default_rng(seed).choice(choices, size=(HEIGHT, WIDTH))


@pytest.fixture
def folders(tmp_path):
    """Three good pairs, with suffixes as people have them."""
    images, masks = tmp_path / "images", tmp_path / "masks"
    images.mkdir()
    masks.mkdir()
    for seed, name in enumerate(("c.png", "a.PNG", "b.bmp")):
        Image.fromarray(random_image(seed)).save(images / name)
        Image.fromarray(random_ids(seed)).save(masks / f"{name[0]}.png")
    return images, masks


def test_pairs_come_in_the_order_of_their_names(folders):
    (folders[0] / "notes.txt").write_text("no picture")
    (folders[0] / ".hidden.png").write_text("no picture")
    source = pickle.loads(pickle.dumps(PairedFolder(*folders, SCHEMA)))
    assert len(source) == 3
    assert source.schemas == {"mask": SCHEMA}
    for index, seed in enumerate((1, 2, 0)):
        element = source[index]
        assert element["image"].mode == "RGB" and element["mask"].dtype == np.uint8
        np.testing.assert_array_equal(element["image"], random_image(seed))
        ids = random_ids(seed)
        np.testing.assert_array_equal(element["mask"], np.where(ids == 255, 3, ids))


def test_files_without_partner_are_counted_and_named(folders):
    for name in "klmnopq":
        Image.fromarray(random_image()).save(folders[0] / f"{name}.png")
    Image.fromarray(random_ids()).save(folders[1] / "z.png")
    with pytest.raises(DataError) as error:
        PairedFolder(*folders, SCHEMA)
    assert "7 of the files in" in str(error.value)
    assert "no mask of the same name" in str(error.value)
    assert "k.png, l.png, m.png, n.png, o.png, ..." in str(error.value)
    assert "1 of the files in" in str(error.value)
    assert "no image of the same name" in str(error.value) and "z.png" in str(error.value)


def test_two_files_of_one_name_are_refused(folders):
    Image.fromarray(random_image()).save(folders[0] / "a.jpg")
    with pytest.raises(DataError, match=r"a.PNG and a.jpg have the same name"):
        PairedFolder(*folders, SCHEMA)


def test_missing_and_empty_folders_are_named(folders, tmp_path):
    with pytest.raises(DataError, match=r"nowhere does not exist.*--config.data.dir"):
        PairedFolder(tmp_path / "nowhere", folders[1], SCHEMA)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty contains no images \(.png, .jpg"):
        PairedFolder(folders[0], tmp_path / "empty", SCHEMA)


def test_damaged_and_foreign_files_are_named(folders):
    content = bytearray((folders[1] / "a.png").read_bytes())
    content[45] ^= 0xFF
    (folders[1] / "a.png").write_bytes(bytes(content))
    (folders[0] / "b.bmp").write_text("<html>not found</html>")
    source = PairedFolder(*folders, SCHEMA)
    with pytest.raises(DataError, match="a.png cannot be read as an image"):
        source[0]
    with pytest.raises(DataError, match="b.bmp cannot be read as an image"):
        source[1]
    (folders[0] / "c.png").unlink()
    with pytest.raises(DataError, match="c.png does not exist"):
        source[2]


def save_pair(folders, image_name, mask_name, seed=0):
    """A random pair under names of one's own, in sub-folders if they have any."""
    for folder, name, array in (
        (folders[0], image_name, random_image(seed)),
        (folders[1], mask_name, random_ids(seed)),
    ):
        path = pathlib.Path(os.fsdecode(os.fsencode(folder) + b"/" + os.fsencode(name)))
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(array).save(path)


def seeds_of(source):
    """The seed of the image and of the mask of each pair."""
    images = [np.asarray(source[i]["image"]).tobytes() for i in range(len(source))]
    masks = [np.asarray(source[i]["mask"]).tobytes() for i in range(len(source))]
    known_images = [random_image(seed).tobytes() for seed in range(5)]
    known_masks = [SCHEMA.from_raw(random_ids(seed), "").tobytes() for seed in range(5)]
    return [
        (known_images.index(image), known_masks.index(mask))
        for image, mask in zip(images, masks, strict=True)
    ]


@pytest.fixture
def empty_folders(tmp_path):
    return tmp_path / "images", tmp_path / "masks"


def test_tiff_pairs_are_read(folders):
    save_pair(folders, "d.tif", "d.tiff", seed=4)
    source = PairedFolder(*folders, SCHEMA)
    assert seeds_of(source)[-1] == (4, 4) and source.notes == ()


def test_what_is_there_and_not_used_is_counted_and_named(folders):
    (folders[0] / "d.gif").touch()
    (folders[0] / "list.txt").touch()
    save_pair(folders, "old/x.png", "more/y.png")
    (note,) = PairedFolder(*folders, SCHEMA).notes
    assert note == (
        f"{folders[0]}: 3 pairs; not used in {folders[0]}: 2 files of other kinds (.gif 1, .txt 1; "
        f".gif: save them as .png), 1 picture in the sub-folder old; not used in {folders[1]}: "
        "1 picture in the sub-folder more."
    )


def test_missing_masks_are_explained_by_what_is_not_used(folders):
    save_pair(folders, "d.png", "city/d.png")
    with pytest.raises(DataError) as error:
        PairedFolder(*folders, SCHEMA)
    assert f"Not used in {folders[1]}: 1 picture in the sub-folder city." in str(error.value)


def test_pictures_in_sub_folders_pair_by_their_path(empty_folders):
    for seed, name in enumerate(("ulm/1.png", "bonn/1.png", "bonn/2.png")):
        save_pair(empty_folders, name, name, seed)
    source = PairedFolder(*empty_folders, SCHEMA)
    assert seeds_of(source) == [(1, 1), (2, 2), (0, 0)] and source.notes == ()


def test_unicode_forms_of_one_name_are_one(empty_folders):
    name = "B\u00e4ume.png"
    save_pair(empty_folders, unicodedata.normalize("NFD", name), name, 1)
    source = PairedFolder(*empty_folders, SCHEMA)
    assert seeds_of(source) == [(1, 1)] and source.notes == ()


@pytest.mark.parametrize(
    ("image_name", "mask_name"),
    [("IMG_{}.JPG", "img_{}.png"), ("{}.png", "{}_mask.png"), ("{}.ome.png", "{}_L.png")],
)
def test_names_that_differ_in_one_way_only_are_matched_with_a_note(
    empty_folders, image_name, mask_name
):
    for seed in range(3):
        save_pair(empty_folders, image_name.format(seed), mask_name.format(seed), seed)
    source = PairedFolder(*empty_folders, SCHEMA)
    masks = [path.name for _, path in source.pairs]
    assert masks == [mask_name.format(seed) for seed in range(3)]
    assert len(source.notes) == 1 and "3 masks of another name" in source.notes[0]


def test_rivals_are_named_and_never_taken(empty_folders):
    save_pair(empty_folders, "a.png", "a_mask.png")
    save_pair(empty_folders, "b.png", "a_gt.png")
    with pytest.raises(DataError, match=r"a_gt.png and a_mask.png in .* the mask of a.png"):
        PairedFolder(*empty_folders, SCHEMA)


def test_names_that_are_no_unicode_are_read_and_told(empty_folders):
    save_pair(empty_folders, b"\xe4.png", b"\xe4.png", 2)
    assert seeds_of(PairedFolder(*empty_folders, SCHEMA)) == [(2, 2)]
    save_pair(empty_folders, b"\xfc.png", b"other.png")
    with pytest.raises(DataError, match=r": \\xfc.png\.") as error:
        PairedFolder(*empty_folders, SCHEMA)
    str(error.value).encode("utf-8")


def test_one_folder_for_both_is_refused(folders):
    with pytest.raises(DataError, match="is the folder of the images and of the masks"):
        PairedFolder(folders[0], folders[0], SCHEMA)


def test_masks_may_lie_in_a_folder_below_the_images(tmp_path):
    save_pair((tmp_path, tmp_path / "masks"), "a.png", "a.png", 1)
    source = PairedFolder(tmp_path, tmp_path / "masks", SCHEMA)
    assert seeds_of(source) == [(1, 1)] and source.notes == ()
