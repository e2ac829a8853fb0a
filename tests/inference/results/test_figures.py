"""Figures for notebooks."""

import io

import numpy as np
from PIL import Image

from symmflow_jax.inference.results import figures


def test_small_images_grow_by_whole_factors_and_large_ones_shrink():
    small = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    row = figures.row([("a", small), ("b", small)])
    assert row.shape[1] == 320
    np.testing.assert_array_equal(row[-160:, :160][::80, ::80], small)
    assert figures.row([("a", np.zeros((1000, 3000, 3), np.uint8))]).shape[1] == 512


def test_a_legend_breaks_its_lines_and_has_all_colours():
    picture = np.zeros((10, 50, 3), np.uint8)
    colours = [(n, 2 * n, 200) for n in range(30)]
    legend = figures.with_legend(picture, [(f"class {n} \udce9", c) for n, c in enumerate(colours)])
    assert {tuple(pixel) for pixel in legend.reshape(-1, 3)} >= set(colours)
    one = figures.with_legend(picture, [("class", (1, 2, 3))])
    assert one.shape[1] == legend.shape[1] and one.shape[0] < legend.shape[0]


def test_a_column_pads_narrow_pictures_with_white():
    column = figures.column([np.zeros((2, 5, 3), np.uint8), np.zeros((3, 2, 3), np.uint8)])
    assert column.shape == (5, 5, 3) and (column[2:, 2:] == 255).all()
    content = figures.png(column)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), column)
