"""Answers by their confidence against cases worked by hand."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.metrics.calibration import NUM_BINS, ConfidenceBins

pytestmark = pytest.mark.slow


def _bins(confidence, correct, valid=None) -> ConfidenceBins:
    valid = np.ones(np.shape(confidence), bool) if valid is None else valid
    bins = ConfidenceBins.from_answers(
        jnp.asarray(confidence, jnp.float32), jnp.asarray(correct), jnp.asarray(valid)
    )
    return ConfidenceBins.empty().merge(bins)


def _error(*answers) -> float:
    return _bins(*answers).calibration_error()


def test_a_case_worked_by_hand():
    # Group 10/15..11/15: two of three are right at a mean confidence of 0.7; last group: one of
    # two at 1. |2/3 - 0.7| * 3/5 + |1/2 - 1| * 2/5 = 0.02 + 0.2.
    confidence = [0.68, 0.70, 0.72, 1.0, 1.0]
    assert _error(confidence, [True, True, False, True, False]) == pytest.approx(0.22)


def test_groups_apart_do_not_make_up_for_each_other():
    # In one group the errors would cancel.
    assert _error([0.6, 0.9], [True, False]) == pytest.approx((0.4 + 0.9) / 2)


def test_answers_of_one_group_make_up_for_each_other():
    # Fifteenths: 0.67 and 0.73 lie in the same.
    assert _error([0.67, 0.73], [True, False]) == pytest.approx((1 - 0.67 - 0.73) / -2)


def test_sure_and_right_is_no_error():
    assert _error([1.0, 1.0], [True, True]) == 0.0


def test_an_edge_belongs_to_the_bin_below():
    count = _bins([0.0, 0.5, 1.0], [True, True, True]).count
    np.testing.assert_array_equal(np.flatnonzero(count), [0, NUM_BINS // 2 - 1, NUM_BINS - 1])


def test_padding_does_not_count():
    bins = _bins([0.6, 1.0], [True, False], [True, False])
    assert bins.calibration_error() == pytest.approx(0.4) and bins.aurc() == 0.0
    nothing = _bins([1.0], [True], [False])
    assert np.isnan([nothing.calibration_error(), nothing.aurc()]).all()
    assert nothing.risk_coverage().coverage.shape == (0,)


def test_pixels_count_one_by_one():
    confidence, correct = [[0.6, 0.7], [0.9, 1.0]], [[True, False], [True, False]]
    flat = _bins(np.ravel(confidence), np.ravel(correct)).compute()
    assert _bins(confidence, correct).compute() == flat


def test_batches_add_up():
    confidence, correct = np.float32([0.6, 0.7, 0.9, 1.0]), np.array([True, False, True, True])
    parts = [_bins(confidence[part], correct[part]) for part in (slice(0, 1), slice(1, 4))]
    whole = _bins(confidence, correct).compute()
    assert parts[0].merge(parts[1]).compute() == pytest.approx(whole)


def test_many_equal_confidences_are_summed_exactly():
    # Float32 sums of a million of them would be off by a percent.
    confidence = np.full(1_000_000, 0.7, np.float32)
    assert _error(confidence, np.zeros(len(confidence), bool)) == pytest.approx(0.7, rel=1e-5)


def test_a_curve_worked_by_hand():
    curve = _bins([0.7, 0.9, 0.8, 0.6], [True, True, False, False]).risk_coverage()
    np.testing.assert_allclose(curve.coverage, [0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(curve.risk, [0.0, 1 / 2, 1 / 3, 2 / 4])


def test_an_area_worked_by_hand():
    area = _bins([0.7, 0.9, 0.8, 0.6], [True, True, False, False]).aurc()
    assert area == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)


def test_the_order_of_equally_sure_answers_does_not_matter():
    # One sure and right answer, then three equally sure ones of which one is wrong.
    confidence, correct = [0.9, 0.5, 0.5, 0.5], [True, True, False, True]
    orders = [np.array([True, *order]) for order in set(itertools.permutations(correct[1:]))]
    areas = [np.mean(np.cumsum(~order) / np.arange(1, 5)) for order in orders]
    assert _bins(confidence, correct).aurc() == pytest.approx(np.mean(areas))
    assert _bins(confidence, correct).risk_coverage().coverage.tolist() == [0.25, 1.0]


def test_confidence_that_says_nothing_leaves_the_error_rate():
    assert _bins([0.5] * 5, [True, False, False, True, True]).aurc() == pytest.approx(2 / 5)
