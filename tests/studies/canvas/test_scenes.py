"""Canvases of scenes, and what is measured at the borders of windows."""

import numpy as np
import pytest

from symmflow_jax.studies.canvas import scenes


def test_a_canvas_holds_its_scenes_row_by_row():
    drawn = scenes.singles(8, seed=0)
    canvases = scenes.side_by_side(drawn, 2)
    assert canvases.images.shape == (2, 64, 64, 3) and canvases.masks.shape == (2, 64, 64)
    np.testing.assert_array_equal(canvases.images[1, :32, 32:], drawn.images[5])
    np.testing.assert_array_equal(canvases.masks[0, 32:, :32], drawn.masks[2])
    shifted = scenes.side_by_side(drawn, 2, shift=16)
    np.testing.assert_array_equal(shifted.masks[0, 16:48, 16:48], drawn.masks[0])


def test_a_seam_is_a_step_at_a_line_within_a_class():
    rng = np.random.default_rng(0)
    images = rng.integers(100, size=(4, 64, 64, 3), dtype=np.uint8)
    masks = np.zeros((4, 64, 64), np.int32)
    lines = np.asarray([32])
    assert scenes.seam(scenes.Scenes(images, masks), lines) == pytest.approx(1.0, abs=0.05)
    stepped = images.copy()
    stepped[:, 32:] += 100
    assert scenes.seam(scenes.Scenes(stepped, masks), lines) > 2.0
    # Where another class begins, the step is none.
    masks[:, 32:] = 1
    assert scenes.seam(scenes.Scenes(stepped, masks), lines) == pytest.approx(1.0, abs=0.1)


def test_rolled_canvases_keep_their_masks():
    canvases = scenes.side_by_side(scenes.singles(8, seed=0), 2)
    rolled = scenes.rolled(canvases, seed=1)
    assert (rolled.masks != canvases.masks).any()
    background = rolled.masks == 0
    assert background.sum() == (canvases.masks == 0).sum()
    # Shapes are brighter than any background.
    brightest = rolled.images.max(axis=-1)
    assert (brightest[background] <= 100).all() and (brightest[~background] >= 110).all()


def test_errors_are_counted_near_lines_and_elsewhere():
    wrong = np.zeros((1, 8, 8), bool)
    wrong[:, :, 3:5] = True  # Both columns next to the line at 4.
    at, elsewhere = scenes.error_at_lines(wrong, np.asarray([4]), reach=1)
    assert at == pytest.approx((8 + 8 + 2 + 2 - 4) / (16 + 16 - 4)) and elsewhere == 0.0
    np.testing.assert_array_equal(scenes.window_lines(128), [32, 64, 96])
