"""Regions as users have them."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.source import DataError
from symmflow_jax.inference.given.regions import given_regions, read_region

_LEVELS = np.asarray([[0, 1, 255], [0, 0, 7]], np.uint8)
_REGION = np.asarray([[False, True, True], [False, False, True]])


def _save(path, levels=_LEVELS):
    Image.fromarray(levels).save(path)
    return path


def test_pixels_above_0_of_a_file_are_its_region(tmp_path):
    np.testing.assert_array_equal(read_region(_save(tmp_path / "a.png")), _REGION)


def test_one_region_has_many_forms(tmp_path):
    path = _save(tmp_path / "a.png")
    for form in (path, str(path), Image.open(path), _REGION):
        given = given_regions(form)
        assert given.is_one
        np.testing.assert_array_equal(given.items[0], _REGION)


def test_several_are_a_folder_an_array_or_a_list(tmp_path):
    _save(tmp_path / "a.png")
    _save(tmp_path / "b.png", 255 - _LEVELS)
    several = [_REGION, 255 - _LEVELS > 0]
    for form in (tmp_path, np.stack(several), several, [tmp_path / "a.png", several[1]]):
        given = given_regions(form)
        assert not given.is_one
        np.testing.assert_array_equal(np.stack(given.items), np.stack(several))


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (_LEVELS, r"The region is uint8 of shape \(2, 3\); give bool \[height, width\]"),
        ([_REGION, _REGION[0]], r"regions\[1\] is bool of shape \(3,\)"),
        (Image.new("RGB", (3, 2)), "Pillow image of mode RGB; give one in grey"),
        ([3], r"regions\[0\] is 3; give a file"),
    ],
)
def test_what_is_no_region_is_refused(form, message):
    with pytest.raises(ValueError, match=message):
        given_regions(form)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(DataError, match="keep is .*none.png', which does not exist"):
        given_regions(tmp_path / "none.png")
