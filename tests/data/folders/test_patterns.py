"""Masks of images by a pattern of their names."""

import pytest

from symmflow_jax.data.folders.patterns import check_pattern, pair_by_pattern
from symmflow_jax.data.source import DataError


@pytest.fixture
def files(tmp_path):
    """A function that makes files by their paths."""

    def make(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    return make


def _pairs(root, pattern, images="", masks=""):
    found = pair_by_pattern(root / images, root / masks, pattern)
    return [tuple(path.relative_to(root).as_posix() for path in pair) for pair in found.pairs]


@pytest.mark.parametrize(
    ("names", "pattern", "images", "masks", "pairs"),
    [
        (
            ("x.jpg", "x_mask.png", "y.JPG", "y_mask.png"), "{stem}_mask.png", "", "",
            [("x.jpg", "x_mask.png"), ("y.JPG", "y_mask.png")],
        ),
        (
            ("a/x.jpg", "a/x_mask.gif", "a/x_mask.tif", "b/x.jpg", "b/x_mask.png", "c.png",
             "c_mask.bmp"), "{stem}_mask", "", "",
            [("a/x.jpg", "a/x_mask.tif"), ("b/x.jpg", "b/x_mask.png"), ("c.png", "c_mask.bmp")],
        ),
        (
            ("i/x.jpg", "i/x.png", "m/x.jpg.png", "m/x.png.png"), "{name}.png", "i", "m",
            [("i/x.jpg", "m/x.jpg.png"), ("i/x.png", "m/x.png.png")],
        ),
        (
            ("1/images/x.jpg", "1/masks/x.png", "2/images/x.jpg", "2/masks/x.png"),
            "../masks/{stem}.png", "", "",
            [("1/images/x.jpg", "1/masks/x.png"), ("2/images/x.jpg", "2/masks/x.png")],
        ),
        (("1/photo.jpg", "1/mask.png", "2/p.jpg", "2/mask.png"), "mask.png", "", "",
         [("1/photo.jpg", "1/mask.png"), ("2/p.jpg", "2/mask.png")]),
        (("x.jpg", "masks/seg_x.png"), "seg_{stem}.png", "", "masks",
         [("x.jpg", "masks/seg_x.png")]),
    ],
)  # fmt: skip
def test_a_pattern_names_the_mask(files, names, pattern, images, masks, pairs):
    assert _pairs(files(*names), pattern, images, masks) == pairs


def test_two_images_of_one_stem_are_told_apart(files):
    root = files("x.jpg", "x.png", "x_mask.png")
    with pytest.raises(DataError) as error:
        _pairs(root, "{stem}_mask")
    assert "x.jpg and x.png have the same mask x_mask.png" in str(error.value)
    assert "set config.data.mask_pattern='{name}_mask'" in str(error.value)
    files("x.jpg_mask.png", "x.png_mask.png")
    (root / "x_mask.png").unlink()
    assert len(_pairs(root, "{name}_mask")) == 2


def test_files_without_a_partner_are_named(files):
    root = files("x.jpg", "x_mask.png", "y.jpg", "z_mask.png")
    with pytest.raises(DataError) as error:
        _pairs(root, "{stem}_mask")
    assert "without a mask: 1 image, such as y.jpg" in str(error.value)
    assert "without an image: 1 mask, such as z_mask.png" in str(error.value)
    root = files("i/x.jpg", "m/x.png", "m/y.png")
    with pytest.raises(DataError, match=r"without an image: 1 mask, such as y.png"):
        _pairs(root, "{stem}", "i", "m")


def test_masks_that_compete_are_named(files):
    root = files("x.jpg", "x_mask.png", "x_mask.tif")
    with pytest.raises(DataError, match=r"x_mask.png and x_mask.tif may all be the mask of"):
        _pairs(root, "{stem}_mask")


def test_other_pictures_in_a_folder_of_masks_are_counted(files):
    root = files("i/x.jpg", "m/x_mask.png", "m/x_overlay.png")
    found = pair_by_pattern(root / "i", root / "m", "{stem}_mask")
    assert len(found.pairs) == 1 and found.notes == ("not used: 1 picture",)


def test_folders_are_there_and_not_empty(files):
    root = files("i/readme.txt")
    with pytest.raises(DataError, match="i contains no images"):
        _pairs(root, "{stem}_mask", "i", "i")
    with pytest.raises(DataError, match="nowhere does not exist"):
        _pairs(root, "{stem}_mask", "nowhere", "i")


@pytest.mark.parametrize("pattern", ["{stem", "{file}.png", "masks/", "{stem}{x}"])
def test_patterns_that_name_nothing_are_refused(pattern):
    with pytest.raises(ValueError, match="config.data.mask_pattern is .*such as '{stem}_mask.png'"):
        check_pattern(pattern)
    check_pattern("../masks/{name}.png")
