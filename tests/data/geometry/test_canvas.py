"""Canvases of pictures, and the views that make them."""

import pytest

from symmflow_jax.data.geometry import canvas
from symmflow_jax.data.geometry.canvas import View
from symmflow_jax.data.geometry.fit import Box

_WINDOW = (96, 128)


def test_a_picture_of_the_windows_size_is_its_own_canvas():
    for layout in (canvas.tiled, canvas.covered, canvas.stretched, canvas.letterboxed):
        found = layout(_WINDOW, _WINDOW, 1.0)
        assert found.size == found.window == _WINDOW
        assert found.placement.source == found.placement.target == Box.whole(_WINDOW)


def test_tiles_have_the_scale_that_is_asked_for():
    found = canvas.tiled((2000, 3000), _WINDOW, 0.25)
    assert found.size == (500, 750) and found.window == _WINDOW
    # A small picture becomes as large as a window, with its aspect ratio.
    assert canvas.tiled((48, 32), _WINDOW, 1.0).size == (192, 128)


def test_a_covering_canvas_is_as_high_or_as_wide_as_a_window():
    assert canvas.covered((2000, 3000), _WINDOW, 1.0).size == (96, 144)
    assert canvas.covered((3000, 2000), _WINDOW, 1.0).size == (192, 128)
    assert canvas.covered((2000, 3000), _WINDOW, 2.0).size == (192, 288)


def test_a_whole_picture_has_sides_of_few_sizes_and_goes_on_as_its_mirror_image():
    found = canvas.whole((500, 700), _WINDOW, 1.0)
    assert found.size == found.window == (512, 704) and found.mirrors
    assert found.placement.target == Box(0, 0, 500, 700)


def test_a_canvas_of_too_many_pixels_is_refused():
    with pytest.raises(ValueError, match="5x100000 pixels becomes one of 128x2560000 .* 'stretch'"):
        canvas.tiled((100_000, 5), _WINDOW, 1.0)


def test_a_view_has_a_canvas_for_each_scale():
    view = View("tiles", canvas.tiled, scale=0.5, scales=(0.5, 1.0, 2.0))
    sizes = [each.size for each in view.canvases((1000, 1000), _WINDOW)]
    assert sizes == [(250, 250), (500, 500), (1000, 1000)]
    assert str(view) == "tiles, overlap 0.5, scale 0.5, times 0.5, 1, 2"
    assert str(View("crop", canvas.covered, flips=True)).endswith("scale 1, and mirrored")


def test_a_picture_without_pixels_is_refused():
    with pytest.raises(ValueError, match="An image of 0x5 pixels has nothing to read"):
        View("tiles", canvas.tiled).canvases((5, 0), _WINDOW)
