"""Folders of images and id masks, and what may be wrong with them."""

import pickle

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
