import itertools

import numpy as np
import pytest

from symmflow_jax.semantics import palettes


def test_lattice_varies_blue_fastest():
    colours = palettes.lattice(levels=6, spacing=50)
    assert len(colours) == 216
    assert colours[:3] == ((0, 0, 0), (0, 0, 50), (0, 0, 100))
    assert colours[6] == (0, 50, 0)
    assert colours[36] == (50, 0, 0)
    assert colours[-1] == (250, 250, 250)


def test_coco_stuff_keeps_the_last_colour_for_unlabeled():
    colours = palettes.coco_stuff(172)
    assert len(colours) == len(set(colours)) == 172
    assert colours[:171] == palettes.lattice(6, 50)[:171]
    assert colours[171] == (250, 250, 250)
    assert palettes.smallest_distance(colours) == 50


def test_coco_stuff_has_216_colours_at_most():
    assert palettes.coco_stuff(216) == palettes.lattice(6, 50)
    with pytest.raises(ValueError, match="217 classes do not fit a lattice of 216"):
        palettes.coco_stuff(217)


def test_celebamask_hq():
    colours = palettes.CELEBAMASK_HQ
    assert len(colours) == len(set(colours)) == 19
    assert colours[0] == (0, 0, 0)  # Background.
    assert colours[1] == (204, 0, 0)  # Skin.
    assert colours[6] == (0, 255, 255)
    assert colours[14] == (255, 51, 153)
    assert colours[18] == (0, 204, 0)
    assert palettes.smallest_distance(colours) == 51


def test_class_colours_are_spread_evenly():
    assert palettes.class_colours(2) == ((0, 0, 0), (225, 225, 225))
    # Every seventh of the 64 colours.
    assert palettes.class_colours(10)[:4] == ((0, 0, 0), (0, 75, 225), (0, 225, 150), (75, 75, 75))
    assert palettes.class_colours(64) == palettes.lattice(4, 75)
    with pytest.raises(ValueError, match="65 classes .* 64 class colours; .*encoding='plane'"):
        palettes.class_colours(65)


@pytest.mark.parametrize("num_classes", range(1, 65))
def test_class_colours_are_distinct(num_classes):
    colours = palettes.class_colours(num_classes)
    assert len(set(colours)) == num_classes
    assert num_classes == 1 or palettes.smallest_distance(colours) >= 75


def test_distinct_takes_the_corners_of_the_cube_first():
    assert palettes.distinct(2) == ((0, 0, 0), (255, 255, 255))
    assert set(palettes.distinct(8)) == set(itertools.product((0, 255), repeat=3))


@pytest.mark.parametrize(
    ("num_classes", "least"), [(1, 0), (9, 179), (27, 127), (64, 85), (343, 42)]
)
def test_distinct_colours_lie_as_far_apart_as_a_lattice_allows(num_classes, least):
    colours = palettes.distinct(num_classes)
    assert len(colours) == num_classes
    assert palettes.smallest_distance(colours) >= least
    assert np.min(colours) >= 0 and np.max(colours) <= 255
    assert all(type(level) is int for colour in colours for level in colour)


def test_distinct_has_343_colours_at_most():
    with pytest.raises(ValueError, match="344 classes are too many .* 343"):
        palettes.distinct(344)


def test_smallest_distance():
    assert palettes.smallest_distance(((0, 0, 0), (100, 0, 0), (100, 3, 4))) == 5
