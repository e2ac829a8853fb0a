import numpy as np
import pytest
from PIL import Image
from PIL.Image import Resampling

from symmflow_jax.data.augmentation.rotation import rotate

_IMAGE = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
_MASK = np.random.default_rng(1).integers(-1, 12, (60, 80)).astype(np.int32)


def _rotated(degrees: float, image=_IMAGE, mask=_MASK):
    example = rotate({"image": image, "labels": mask, "told": 1}, degrees, Resampling.BILINEAR)
    assert example["told"] == 1
    return np.asarray(example["image"]), example["labels"]


@pytest.mark.parametrize("degrees", [-37.0, -10.0, -0.2, 3.0, 25.0, 90.0])
def test_no_pixel_is_made_up_and_the_aspect_ratio_stays(degrees):
    ones = np.full((60, 80, 3), 255, np.uint8)
    image, mask = _rotated(degrees, ones, np.ones((60, 80), np.int32))
    assert image.min() == 255 and mask.min() == 1
    assert image.shape[:2] == mask.shape
    assert abs(image.shape[1] / image.shape[0] - 4 / 3) < 0.06


def test_small_angles_keep_most_of_the_picture():
    # The width of the window is w / (cos + h / w sin), or w / (cos + w / h sin) if that is less.
    assert _rotated(10.0)[1].shape == (49, 65)
    assert _rotated(1e-9)[1].shape == (60, 80)


def test_no_angle_changes_nothing():
    image, mask = _rotated(0.0)
    np.testing.assert_array_equal(image, _IMAGE)
    np.testing.assert_array_equal(mask, _MASK)


@pytest.mark.parametrize("degrees", [-25.0, -6.0, 11.0, 34.0])
def test_the_window_is_the_centre_of_the_turned_picture(degrees):
    _, mask = _rotated(degrees)
    height, width = mask.shape
    whole = np.asarray(Image.fromarray(_MASK).rotate(degrees, Resampling.NEAREST))
    top, left = (60 - height) // 2, (80 - width) // 2
    assert (height % 2, width % 2) == (0, 0)  # So that pixels lie upon pixels.
    expected = whole[top : top + height, left : left + width]
    assert np.mean(mask == expected) > 0.999


def test_arrays_and_pictures_turn_alike():
    of_array, _ = _rotated(12.0)
    of_picture, _ = _rotated(12.0, Image.fromarray(_IMAGE))
    assert np.abs(of_array.astype(int) - of_picture).max() <= 1


def test_other_depths_and_channels_keep_their_values():
    levels = np.full((60, 80, 5), 60_000, np.uint16)
    image, _ = _rotated(5.0, levels)
    assert image.dtype == np.uint16 and image.shape[-1] == 5
    assert image.min() == image.max() == 60_000


def test_a_label_stays():
    assert _rotated(20.0, mask=np.int32(3))[1] == 3
