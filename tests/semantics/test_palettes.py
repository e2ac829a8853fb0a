import itertools
import pathlib

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


def test_coco_stuff_has_the_colours_of_the_ids_in_the_files():
    raw_ids = (0, 10, 12, 181)
    colours = palettes.coco_stuff(raw_ids)
    # Written out by hand: id 12 is 0 * 36 + 2 * 6 + 0, id 181 is 5 * 36 + 0 * 6 + 1.
    assert colours == ((0, 0, 0), (0, 50, 200), (0, 100, 0), (250, 0, 50), (250, 250, 250))


def test_coco_stuff_has_colours_for_all_ids_but_one():
    assert palettes.coco_stuff(range(215)) == palettes.lattice(6, 50)
    for raw_id in (-1, 215):
        with pytest.raises(ValueError, match=f"colours for ids below 215: .*{raw_id}"):
            palettes.coco_stuff((raw_id,))


def test_celebamask_hq():
    colours = palettes.CELEBAMASK_HQ
    assert len(colours) == len(set(colours)) == 19
    assert colours[0] == (0, 0, 0)  # Background.
    assert colours[1] == (204, 0, 0)  # Skin.
    assert colours[6] == (0, 255, 255)
    assert colours[14] == (255, 51, 153)
    assert colours[18] == (0, 204, 0)
    assert palettes.smallest_distance(colours) == 51


def test_label_colours_of_published_sets():
    # Numbers on the lattice, in base 4: DermaMNIST has 7 classes, RetinaMNIST 5.
    numbers = {2: (0, 63), 5: (0, 15, 31, 47, 63), 7: (0, 10, 21, 31, 42, 52, 63)}
    for num_classes, expected in numbers.items():
        colours = tuple((75 * (n // 16), 75 * (n // 4 % 4), 75 * (n % 4)) for n in expected)
        assert palettes.label_colours(num_classes) == colours
    assert palettes.label_colours(64) == palettes.lattice(4, 75)
    assert palettes.label_colours(1) == ((0, 0, 0),)
    with pytest.raises(ValueError, match="65 classes .* 64 colours of labels; .*encoding='plane'"):
        palettes.label_colours(65)


@pytest.mark.parametrize("num_classes", range(2, 65))
def test_label_colours_are_those_of_published_class_models(num_classes):
    # Their numbers on the lattice, as PyTorch computes them (see make_label_colours.py).
    path = pathlib.Path(__file__).parents[1] / "fixtures" / "label_colours.npz"
    numbers = np.load(path)["numbers"][num_classes, :num_classes].tolist()
    assert numbers == [63 * index // (num_classes - 1) for index in range(num_classes)]
    colours = tuple((75 * (n // 16), 75 * (n // 4 % 4), 75 * (n % 4)) for n in numbers)
    assert palettes.label_colours(num_classes) == colours


@pytest.mark.parametrize("num_classes", range(1, 65))
def test_label_colours_are_distinct(num_classes):
    colours = palettes.label_colours(num_classes)
    assert len(set(colours)) == num_classes
    assert num_classes == 1 or palettes.smallest_distance(colours) >= 75


def test_earlier_label_colours_were_rounded():
    # Seven classes, as runs of that time drew them.
    numbers = (0, 10, 21, 32, 42, 52, 63)
    colours = tuple((75 * (n // 16), 75 * (n // 4 % 4), 75 * (n % 4)) for n in numbers)
    assert palettes.earlier_label_colours(7) == colours


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
