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


def test_differences_are_measured_across_lines_and_elsewhere():
    picture = np.zeros((1, 64, 64))
    picture[:, 32:] += 3.0  # A step at the line of the rows, none at that of the columns.
    picture[:, :, 16:] += 8.0  # A step that is spared.
    on, off = scenes.at_lines(picture, np.asarray([32]), np.asarray([16]))
    assert (on, off) == (pytest.approx(1.5), 0.0)


def test_errors_are_counted_near_lines_and_elsewhere():
    wrong = np.zeros((1, 8, 8), bool)
    wrong[:, :, 3:5] = True  # Both columns next to the line at 4.
    at, elsewhere = scenes.error_at_lines(wrong, np.asarray([4]), reach=1)
    assert at == pytest.approx((8 + 8 + 2 + 2 - 4) / (16 + 16 - 4)) and elsewhere == 0.0
    np.testing.assert_array_equal(scenes.window_lines(128), [32, 64, 96])
