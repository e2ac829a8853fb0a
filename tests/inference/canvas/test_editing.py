"""Edits of photos of any size."""

import jax
import numpy as np
import pytest

from symmflow_jax.flow.solvers.fixed_steps import euler
from symmflow_jax.inference.canvas.editing import Photo, edit_photos, shrunk
from symmflow_jax.inference.editing import Keep
from symmflow_jax.methods.editing import Editing, Origin

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

_KEY, _SOLVE = jax.random.key(0), euler(2)


def _pixels(height, width, seed=0):
    return np.random.default_rng(seed).integers(256, size=(height, width, 3), dtype=np.uint8)


def _photo(height, width, **changes):
    classes, source = np.zeros((height, width), np.int32), np.zeros((height, width), np.int32)
    classes[height // 2 :] = 3
    return Photo(_pixels(height, width), classes, source)._replace(**changes)


def test_photos_keep_their_size_and_their_pixels(two_clocks):
    photos = [_photo(20, 30), _photo(8, 8)]
    edited = edit_photos(two_clocks, photos, _KEY, _SOLVE)
    for photo, result in zip(photos, edited, strict=True):
        assert result.image.shape == photo.pixels.shape
        half = len(photo.pixels) // 2
        np.testing.assert_array_equal(result.image[:half], photo.pixels[:half])
        assert (result.image[half:] != photo.pixels[half:]).mean() > 0.5
    assert [result.made_in for result in edited] == [(8, 12), (8, 8)]


def test_regions_and_old_masks_of_photos_may_be_given_or_not(two_clocks):
    region = np.zeros((20, 30), bool)
    region[:, :7] = True
    how = Editing(Origin.NOISE)
    photos = [_photo(20, 30, source=None, keep=region), _photo(20, 30)]
    first, second = edit_photos(two_clocks, photos, _KEY, _SOLVE, editing=how)
    np.testing.assert_array_equal(first.image[:, :7], photos[0].pixels[:, :7])
    np.testing.assert_array_equal(first.keep, region)
    np.testing.assert_array_equal(second.image[:10], photos[1].pixels[:10])
    assert first.source.shape == (20, 30)


def test_nothing_is_kept_if_nothing_is_to_be(two_clocks):
    (edited,) = edit_photos(two_clocks, [_photo(20, 30)], _KEY, _SOLVE, keep=Keep.NONE)
    assert edited.keep is None
    assert (edited.image[:10] != _photo(20, 30).pixels[:10]).mean() > 0.5  # It was resized.


def test_a_mask_of_another_size_is_an_error(two_clocks):
    photo = _photo(20, 30, classes=np.zeros((10, 30), np.int32), name="cat.jpg")
    with pytest.raises(ValueError, match=r"cat\.jpg is 30x20 but its mask is 30x10 \(width x hei"):
        edit_photos(two_clocks, [photo], _KEY, _SOLVE)


@pytest.mark.parametrize("size", [(3, 5), (6, 10), (7, 3)])
def test_a_small_pixel_is_kept_if_all_below_it_are(size):
    keep = np.ones((12, 20), bool)
    keep[5, 7] = False
    small = shrunk(keep, size)
    assert small.shape == size
    row, column = 5 * size[0] // 12, 7 * size[1] // 20
    assert not small[row, column]
    assert small.sum() >= small.size - 4
    assert shrunk(keep, (12, 20)) is keep


def test_photos_of_labels_are_seen_whole(two_clocks_of_labels):
    region = np.zeros((20, 30), bool)
    region[:, :7] = True
    photo = Photo(_pixels(20, 30), np.int32(1), keep=region)
    (edited,) = edit_photos(two_clocks_of_labels, [photo], _KEY, _SOLVE)
    assert edited.made_in == (8, 8) and edited.source.shape == ()
    np.testing.assert_array_equal(edited.image[:, :7], photo.pixels[:, :7])


def test_the_noise_of_a_photo_depends_on_its_number_alone(two_clocks):
    photos, how = [_photo(8, 8), _photo(20, 30), _photo(8, 8)], Editing(Origin.NOISE)
    together = edit_photos(two_clocks, photos, _KEY, _SOLVE, editing=how)
    first = edit_photos(two_clocks, photos[:2], _KEY, _SOLVE, editing=how)
    for one, other in zip(first, together, strict=False):
        # Batches of another size round in another way.
        assert np.abs(one.image.astype(int) - other.image).max() <= 1
    assert np.abs(together[0].image.astype(int) - together[2].image).max() > 1
