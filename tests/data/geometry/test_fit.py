"""Fits: the part of a picture that is kept, and where it lies."""

import numpy as np
import pytest

from symmflow_jax.data.geometry.fit import AtScale, Box, Crop, Letterbox, Stretch, covering_scale


def test_a_crop_keeps_the_largest_part_of_the_aspect_ratio():
    placement = Crop().place((200, 300), (32, 32))
    assert placement.source == Box(0, 50, 200, 200)
    assert placement.target == Box(0, 0, 32, 32) == Box.whole(placement.size)
    assert placement.scale == pytest.approx(32 / 200)
    places = {Crop().place((20, 30), (8, 8), np.random.default_rng(i)).source for i in range(40)}
    assert {box.top for box in places} == {0} and {box.left for box in places} == set(range(11))


def test_stretching_keeps_the_whole_picture():
    placement = Stretch().place((200, 300), (32, 48), np.random.default_rng(0))
    assert placement.source == Box(0, 0, 200, 300) and placement.target == Box(0, 0, 32, 48)


def test_a_letterbox_keeps_the_whole_picture_and_its_aspect_ratio():
    placement = Letterbox().place((200, 300), (32, 32))
    assert placement.source == Box(0, 0, 200, 300)
    assert placement.target == Box(5, 0, 21, 32)
    # A line of pixels stays one.
    assert Letterbox().place((1, 5000), (32, 32)).target == Box(15, 0, 1, 32)


def test_a_window_at_a_scale_covers_that_many_pixels_of_the_picture():
    placement = AtScale(0.5, 0.5).place((200, 300), (32, 40))
    assert placement.source == Box(68, 110, 64, 80) and placement.scale == pytest.approx(0.5)
    assert AtScale(0.5, 2.0).place((200, 300), (32, 40)).scale == pytest.approx(1.0)


def test_scales_and_places_are_drawn_within_their_bounds():
    rng = np.random.default_rng(0)
    drawn = [AtScale(0.5, 2.0).place((200, 300), (32, 32), rng) for _ in range(300)]
    scales = np.log2([placement.scale for placement in drawn])
    assert -1.05 < scales.min() < -0.9 and 0.9 < scales.max() < 1.05
    # As many halve a picture as double it.
    assert abs(np.median(scales)) < 0.15
    assert min(placement.source.top for placement in drawn) < 15
    assert all(placement.source.bottom <= 200 for placement in drawn)
    assert all(placement.source.right <= 300 for placement in drawn)


def test_a_small_picture_is_enlarged_until_it_covers():
    placement = AtScale(0.5, 1.0).place((10, 100), (32, 32), np.random.default_rng(0))
    assert placement.source.size == (10, 10) and placement.target.size == (32, 32)
    assert covering_scale((10, 100), (32, 32)) == 3.2
