"""Images as users have them."""

import numpy as np
import pytest
from PIL import ExifTags, Image

from symmflow_jax.data.source import DataError
from symmflow_jax.inference.given.images import given_images

_PIXELS = np.random.default_rng(0).integers(256, size=(5, 7, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    for name in ("b.png", "a.png"):
        Image.fromarray(_PIXELS).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def _pixels(images, channels: int = 3) -> list[np.ndarray]:
    return [item.pixels() for item in given_images(images, channels).items]


def test_every_form_gives_the_same_pixels(folder):
    floats = (_PIXELS / 127.5 - 1).astype(np.float32)
    one = [folder / "a.png", str(folder / "a.png"), Image.fromarray(_PIXELS), _PIXELS, floats]
    for image in one:
        assert given_images(image, 3).is_one
        (pixels,) = _pixels(image)
        np.testing.assert_array_equal(pixels, _PIXELS)
    several = [one, folder, np.stack([_PIXELS, _PIXELS]), iter(one), tuple(one)]
    for images in several:
        assert not given_images(images if images is not several[3] else list(one), 3).is_one
        for pixels in _pixels(images):
            np.testing.assert_array_equal(pixels, _PIXELS)


def test_a_folder_gives_its_images_in_the_order_of_their_names(folder):
    assert [item.path.name for item in given_images(folder, 3).items] == ["a.png", "b.png"]


def test_grey_arrays_need_no_channel_and_a_model_of_more_channels_has_its_own():
    assert _pixels(_PIXELS[..., 0])[0].shape == (5, 7, 1)
    assert _pixels(np.zeros((4, 6, 5), np.uint8), channels=5)[0].shape == (4, 6, 5)


def test_pictures_of_other_modes_become_colours():
    picture = Image.fromarray(_PIXELS[..., 0]).convert("P")
    assert _pixels(picture)[0].shape == (5, 7, 3)
    high = Image.fromarray(np.full((2, 2), 65535, np.uint16))
    assert (_pixels(high)[0] == 255).all()


def test_a_file_is_turned_by_exif_and_a_picture_is_told(tmp_path, log):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.fromarray(_PIXELS).save(tmp_path / "turned.png", exif=exif)
    assert _pixels(tmp_path / "turned.png")[0].shape == (7, 5, 3)
    with Image.open(tmp_path / "turned.png") as picture:
        assert _pixels(picture)[0].shape == (5, 7, 3)
    assert "exif_transpose" in log.text


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ("none.png", r"^images is 'none\.png', which does not exist\.$"),
        (["none.png"], r"^images\[0\] is 'none\.png', which does not exist\.$"),
        (["."], r"images\[0\] is '\.', which is no file. A folder is given alone"),
        ([], "There is no image"),
        (np.zeros((0, 8, 8, 3), np.uint8), "There is no image"),
        (3, "The images are 3; give a file"),
        ([None], r"images\[0\] is None; give a file"),
        (np.zeros((3, 8, 9), np.uint8), r"channels come last: np\.moveaxis\(image, 0, -1\)"),
        (np.zeros((8, 8, 4), np.uint8), r"leave out the transparency: image\[\.\.\., :3\]"),
        (np.zeros((6, 8, 9), np.uint8), r"shape \(6, 8, 9\); .*a list of arrays"),
        (np.zeros((8, 0, 3), np.uint8), r"shape \(8, 0, 3\); give at least one pixel"),
        (np.zeros((8, 8, 3), np.uint16), r"uint16; give uint8, .* \(x // 257\)"),
        (np.full((8, 8, 3), 200.0), r"200 to 200; .*\[-1, 1\].* x / 127\.5 - 1"),
        (np.full((8, 8, 3), np.nan), r"nan to nan"),
        (_PIXELS / 255, r"nothing tells if black is 0 or -1\. Give uint8: .*\(255 \* x\)"),
        ("gs://bucket/photo.png", r"cannot be in a bucket"),
    ],
)
def test_what_is_no_image_is_refused_with_the_remedy(images, message):
    with pytest.raises(ValueError, match=message):
        given_images(images, 3)


def test_a_file_that_does_not_exist_has_a_similar_one_beside_it(folder):
    with pytest.raises(DataError, match=r"does not exist\. Did you mean '.*/[ab]\.png'\?"):
        given_images(folder / "a.pmg", 3)


def test_a_damaged_file_is_named(tmp_path):
    Image.fromarray(_PIXELS).save(tmp_path / "whole.png")
    content = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(content[:-40])
    with pytest.raises(DataError, match=r"cut\.png cannot be read"):
        _pixels(tmp_path / "cut.png")
    with Image.open(tmp_path / "cut.png") as picture, pytest.raises(DataError, match="The image"):
        _pixels(picture)
