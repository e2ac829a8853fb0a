"""Plots of an evaluation."""

import numpy as np
import pytest

from symmflow_jax.evaluation.report import plots
from symmflow_jax.metrics.calibration import RiskCoverage
from symmflow_jax.metrics.rejection import RejectionCurve


def _colours(picture: np.ndarray) -> set[tuple[int, ...]]:
    """The colours of lines and fields: what is neither grey nor rare."""
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[-1] == 3
    colours, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
    vivid = np.ptp(colours.astype(int), axis=1) > 60
    return {tuple(colour.tolist()) for colour in colours[vivid & (counts > 50)]}


def test_qualities_at_one_cost_make_no_plot(table):
    assert plots.plottable(table) == [("segmentation", "miou")]
    assert plots.plottable(table[:2] + table[-1:]) == []


def test_single_classes_make_no_plot(measurement):
    of_class = [measurement({"num_steps": n}, nfe=n, class_name="sky") for n in (1, 2)]
    assert plots.plottable(of_class) == []


def test_each_solver_has_a_line(table):
    # Of euler and dopri5 there is a marker each, of rk4 as well.
    picture = plots.quality(table, "segmentation", "miou")
    assert len(_colours(picture)) == 3
    of_two = [m for m in table if m.protocol.solver != "rk4"]
    assert len(_colours(plots.quality(of_two, "segmentation", "miou"))) == 2


def test_the_papers_points_are_drawn_where_it_has_some(measurement):
    def dark(dataset: str) -> int:
        table = [measurement({"dataset": dataset, "num_steps": n}, nfe=n) for n in (1, 25)]
        return int(np.sum(plots.quality(table, "segmentation", "miou").max(axis=-1) < 40))

    assert dark("coco_stuff") > dark("shapes") + 100


def test_each_row_has_its_risk(table):
    curve = RiskCoverage(np.array([0.5, 1.0]), np.array([0.0, 0.25]))
    higher = RiskCoverage(np.array([0.5, 1.0]), np.array([0.1, 0.35]))
    assert len(_colours(plots.risk_coverage({"euler 1": curve}))) == 1
    assert len(_colours(plots.risk_coverage({"euler 1": curve, "euler 2": higher}))) == 2


def test_each_row_has_the_colour_of_its_rejection():
    shares = np.arange(20) / 20
    curve = RejectionCurve(shares, np.arange(20, 0, -1), 0.5 + shares / 2, 0.6 + shares / 3)
    lower = curve._replace(accuracy=curve.accuracy - 0.2, auc=curve.auc - 0.2)
    one = plots.rejection({"euler 1": {"distance": curve, "entropy": lower}})
    two = plots.rejection({"euler 1": {"distance": curve}, "euler 5": {"distance": lower}})
    assert (len(_colours(one)), len(_colours(two))) == (1, 2)


@pytest.mark.parametrize("scale", [1, 1000])
def test_a_heat_map_shows_shares_and_not_counts(scale):
    counts = np.array([[3, 1], [0, 2]])
    picture = plots.confusion(scale * counts)
    np.testing.assert_array_equal(picture, plots.confusion(counts))
    # Neither do the numbers of the classes count, nor does one that never occurs.
    np.testing.assert_array_equal(plots.confusion(counts * [[7], [1]]), picture)
    assert plots.confusion(np.zeros((2, 2), np.int64)).shape == picture.shape
