"""Palettes of several masks."""

import pathlib
import pickle

import numpy as np
from PIL import Image

from symmflow_jax.data.masks.palettes import PaletteComparison, palette_of

RED, GREEN, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 0)


def _palette(*colours):
    return bytes(level for colour in colours for level in colour)


def _differences(*masks):
    comparison = PaletteComparison()
    found = []
    for number, (palette, ids) in enumerate(masks):
        path = pathlib.Path(f"{number}.png")
        found.append(comparison.find_difference(path, palette, np.array([ids], np.uint8)))
        comparison = pickle.loads(pickle.dumps(comparison))
    return found


def test_equal_colours_of_used_indices_are_no_difference():
    trimmed, other = _palette(BLACK, RED), _palette(BLACK, RED, GREEN, GREEN)
    assert _differences((other, [0, 1]), (trimmed, [1, 1]), (other, [2, 0])) == [None] * 3


def test_an_index_of_two_colours_is_named_with_both_files():
    first, second = _palette(BLACK, RED, GREEN), _palette(BLACK, GREEN, RED)
    assert _differences((first, [0, 1]), (first, [2, 2]), (second, [0, 2])) == [
        None,
        None,
        "index 2 of the palette is #ff0000 in 2.png, but #00ff00 in 1.png",
    ]


def test_unused_colours_may_differ():
    assert _differences((_palette(BLACK, RED), [0]), (_palette(BLACK, GREEN), [0])) == [None, None]


def test_only_palette_pictures_have_palettes():
    picture = Image.fromarray(np.zeros((2, 2), np.uint8))
    assert palette_of(picture) is None
    picture.putpalette(_palette(RED, GREEN))
    assert palette_of(picture) == _palette(RED, GREEN)
