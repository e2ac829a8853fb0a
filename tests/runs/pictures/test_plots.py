"""Plots of points and curves."""

import numpy as np
import pytest

from symmflow_jax.runs.pictures import plots
from symmflow_jax.semantics.labels import consecutive

_SCHEMA = consecutive(("road", "sky"))


@pytest.mark.parametrize("size", [1, 2, 16])
def test_points_are_plotted(size):
    rng = np.random.default_rng(0)
    sample = {
        "image": rng.normal(size=(20, size)),
        "labels": rng.integers(2, size=20),
        "generated": rng.normal(size=(20, size)),
        "predicted": rng.integers(2, size=20),
    }
    assert plots.point_plots(sample, _SCHEMA).std() > 1


def test_curves_have_a_colour_each():
    drawn = plots.curves({"a": ([1, 2], [1.0, 2.0]), "b": ([1, 2], [2.0, 1.0])}, "step")
    coloured = drawn[drawn.max(-1) > drawn.min(-1).astype(int) + 60]
    hues = {tuple(pixel) for pixel in (coloured > 128).tolist()}
    assert drawn.dtype == np.uint8 and len(hues) >= 2


def test_a_logarithmic_axis_has_plain_numbers_and_no_others():
    figure, axis = plots.pyplot().subplots()
    axis.plot([20, 200], [1, 2])
    plots.plain_log_ticks(axis, (20, 50, 200))
    figure.canvas.draw()
    shown = [label.get_text() for label in axis.get_xticklabels(which="both")]
    assert shown == ["20", "50", "200"] and axis.get_xscale() == "log"
    plots.pyplot().close(figure)
