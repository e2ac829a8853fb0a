"""Edits of arrays in the model's size."""

import jax
import numpy as np
import pytest

from symmflow_jax.data.batch import Pixels
from symmflow_jax.flow.solvers.fixed_steps import euler
from symmflow_jax.inference import editing
from symmflow_jax.inference.editing import Keep, Source

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]

_KEY, _SOLVE = jax.random.key(0), euler(2)


def _pixels(height, width, seed=0):
    return np.random.default_rng(seed).integers(256, size=(height, width, 3), dtype=np.uint8)


_IMAGES = Pixels(np.stack([_pixels(8, 8, seed) for seed in (0, 1)]))
_OLD = np.zeros((2, 8, 8), np.int32)
_NEW = _OLD.copy()
_NEW[:, 4:] = 2


def test_what_is_unchanged_is_kept_by_default_and_the_rest_moves(two_clocks):
    edited = editing.edit(two_clocks, _IMAGES, _NEW, _KEY, _SOLVE, source=_OLD)
    np.testing.assert_array_equal(edited.images[:, :4], _IMAGES.values[:, :4])
    np.testing.assert_array_equal(edited.keep, _NEW == _OLD)
    assert (edited.images[:, 4:] != _IMAGES.values[:, 4:]).mean() > 0.5
    np.testing.assert_array_equal(edited.nfe, 4)


def test_the_same_mask_gives_the_same_image(two_clocks):
    edited = editing.edit(two_clocks, _IMAGES, _NEW, _KEY, _SOLVE, source=_NEW, keep=Keep.NONE)
    np.testing.assert_array_equal(edited.images, _IMAGES.values)


def test_an_old_mask_that_is_not_given_is_read(two_clocks):
    edited = editing.edit(two_clocks, _IMAGES, _NEW, _KEY, _SOLVE)
    assert edited.source.shape == _OLD.shape and edited.source.dtype == np.int32
    np.testing.assert_array_equal(edited.keep, edited.source == _NEW)
    read = two_clocks.segment(_IMAGES.values, _KEY)
    np.testing.assert_array_equal(edited.source, read)


def test_without_an_old_mask_nothing_can_be_told_unchanged(two_clocks):
    edited = editing.edit(two_clocks, _IMAGES, _NEW, _KEY, _SOLVE, source=Source.NONE)
    assert edited.source is None and edited.keep is None
    with pytest.raises(ValueError, match="the new mask is compared with the old one"):
        editing.edit(
            two_clocks, _IMAGES, _NEW, _KEY, _SOLVE, source=Source.NONE, keep=Keep.UNCHANGED
        )


def test_labels_have_no_unchanged_pixels(two_clocks_of_labels):
    new = np.asarray([1, 2], np.int32)
    edited = editing.edit(two_clocks_of_labels, _IMAGES, new, _KEY, _SOLVE)
    assert edited.source.shape == (2,) and edited.keep is None
    with pytest.raises(ValueError, match="this model knows labels; keep nothing, or give"):
        editing.edit(two_clocks_of_labels, _IMAGES, new, _KEY, _SOLVE, keep=Keep.UNCHANGED)


def test_the_model_checks_what_it_is_given(two_clocks, random_model):
    images = _IMAGES.values
    edited = two_clocks.edit_arrays(images, _NEW, _KEY, 2, source=_OLD, keep=_NEW == 0)
    np.testing.assert_array_equal(edited.images[:, :4], images[:, :4])
    with pytest.raises(ValueError, match=r"What to keep is int32 of shape .* give bool"):
        two_clocks.edit_arrays(images, _NEW, _KEY, source=_OLD, keep=_OLD)
    with pytest.raises(ValueError, match="Conditions have shape"):
        two_clocks.edit_arrays(images, _NEW, _KEY, source=_OLD[:, :4])
    with pytest.raises(ValueError, match="Editing needs .* train with 'independent' or 'mixed'"):
        random_model().edit_arrays(images, _NEW, _KEY)
