"""Folders of images and id masks: every kind of picture, and every kind of mistake."""

import pickle

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.image_files import read_image, read_mask
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
    assert "7 of the pictures in" in str(error.value)
    assert "no mask of the same name" in str(error.value)
    assert "k.png, l.png, m.png, n.png, o.png, ..." in str(error.value)
    assert "1 of the pictures in" in str(error.value)
    assert "no image of the same name" in str(error.value) and "z.png" in str(error.value)


def test_two_files_of_one_name_are_refused(folders):
    Image.fromarray(random_image()).save(folders[0] / "a.jpg")
    with pytest.raises(DataError, match=r"a.PNG and a.jpg have the same name"):
        PairedFolder(*folders, SCHEMA)


def test_missing_and_empty_folders_are_named(folders, tmp_path):
    with pytest.raises(DataError, match=r"nowhere does not exist.*--config.data.dir"):
        PairedFolder(tmp_path / "nowhere", folders[1], SCHEMA)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty contains no pictures \(.png, .jpg"):
        PairedFolder(folders[0], tmp_path / "empty", SCHEMA)


def test_size_mismatch_names_both_files_and_sizes(folders):
    Image.fromarray(random_ids()[:-1]).save(folders[1] / "a.png")
    with pytest.raises(DataError, match=r"a.PNG is 8x6 but its mask .*a.png is 8x5"):
        PairedFolder(*folders, SCHEMA)[0]


def test_ids_outside_the_class_list_are_named(folders):
    ids = random_ids()
    ids[0, :2] = 7, 40
    Image.fromarray(ids).save(folders[1] / "a.png")
    with pytest.raises(DataError, match=r"a.png: ids 7, 40 are outside the class list"):
        PairedFolder(*folders, SCHEMA)[0]


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp", "a.webp"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.9])
def test_truncated_pictures_are_named(tmp_path, name, share):
    noise = np.random.default_rng(0).integers(256, size=(64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=f"{name} cannot be read as a picture .*Replace the file"):
        read_image(tmp_path / name)


def test_damaged_and_foreign_files_are_named(folders):
    content = bytearray((folders[1] / "a.png").read_bytes())
    content[45] ^= 0xFF
    (folders[1] / "a.png").write_bytes(bytes(content))
    (folders[0] / "b.bmp").write_text("<html>not found</html>")
    source = PairedFolder(*folders, SCHEMA)
    with pytest.raises(DataError, match="a.png cannot be read as a picture"):
        source[0]
    with pytest.raises(DataError, match="b.bmp cannot be read as a picture"):
        source[1]
    (folders[0] / "c.png").unlink()
    with pytest.raises(DataError, match="c.png does not exist"):
        source[2]


def test_exif_orientation_turns_images(tmp_path):
    picture = Image.fromarray(random_image())
    exif = picture.getexif()
    exif[0x0112] = 6  # Stored a quarter turn to the left: shown turned to the right.
    picture.save(tmp_path / "a.png", exif=exif)
    read = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(read, np.rot90(random_image(), k=-1))


def test_grey_images_get_three_equal_channels(tmp_path):
    grey = random_image(channels=())
    Image.fromarray(grey).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), np.stack([grey] * 3, axis=-1))


def test_sixteen_bits_become_eight(tmp_path):
    deep = np.array([[0, 257, 128 * 257], [65535, 100 * 257, 60000]], np.uint16)
    Image.fromarray(deep).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as stored:
        assert stored.mode == "I;16"
    expected = np.array([[0, 1, 128], [255, 100, 233]])
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), np.stack([expected] * 3, axis=-1))


def test_palette_images_show_their_colours(tmp_path):
    picture = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8)).convert("P")
    colours = [(10, 20, 30), (200, 0, 0), (0, 90, 255)]
    picture.putpalette([level for colour in colours for level in colour])
    picture.save(tmp_path / "a.png")
    expected = np.array(colours)[[[0, 1], [2, 1]]]
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), expected)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_pixels_are_laid_over_black(tmp_path, mode):
    channels = len(mode)
    pixels = np.full((2, 2, channels), 200, np.uint8)
    pixels[..., -1] = [[255, 0], [128, 255]]
    Image.fromarray(pixels, mode=mode).save(tmp_path / "a.png")
    read = read_image(tmp_path / "a.png")
    assert read.shape == (2, 2, 3)
    np.testing.assert_allclose(read[..., 0], [[200, 0], [100, 200]], atol=1)


def test_transparent_palette_entries_are_laid_over_black(tmp_path):
    picture = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    picture.putpalette([250, 250, 250, 9, 8, 7])
    picture.save(tmp_path / "a.png", transparency=0)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), [[[0, 0, 0], [9, 8, 7]]])


def test_cmyk_jpegs_become_rgb(tmp_path):
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    red.save(tmp_path / "a.jpg")
    read = read_image(tmp_path / "a.jpg")
    assert read.shape == (16, 16, 3)
    np.testing.assert_allclose(read.mean(axis=(0, 1)), [255, 0, 0], atol=8)


@pytest.mark.parametrize("kind", ["L", "P", "I;16", "1"])
def test_masks_of_one_channel_keep_their_ids(tmp_path, kind):
    ids = np.array([[0, 1, 1], [1, 0, 1]], np.uint8)
    if kind == "I;16":
        ids = ids.astype(np.uint16) * 1000
        picture = Image.fromarray(ids)
    elif kind == "P":
        ids = ids * 7
        picture = Image.fromarray(ids)
        picture.putpalette(list(range(255, -1, -1)) * 3)
    else:
        picture = Image.fromarray(ids * 255).convert("1") if kind == "1" else Image.fromarray(ids)
    assert picture.mode == kind
    picture.save(tmp_path / "a.png")
    read = read_mask(tmp_path / "a.png")
    assert read.dtype == (np.uint8 if kind in ("L", "P") else np.int32)
    np.testing.assert_array_equal(read, ids)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_masks_of_several_channels_are_refused(folders, mode):
    Image.fromarray(random_ids()).convert(mode).save(folders[1] / "a.png")
    with pytest.raises(DataError, match=rf"a.png is a picture of mode {mode}, .*one channel"):
        PairedFolder(*folders, SCHEMA)[0]


def test_jpeg_masks_are_refused(tmp_path):
    Image.fromarray(random_ids()).save(tmp_path / "a.jpg")
    with pytest.raises(DataError, match=r"a.jpg is a JPEG, whose compression changes ids"):
        read_mask(tmp_path / "a.jpg")
