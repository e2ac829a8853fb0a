"""Calibration against cases worked by hand."""

import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.metrics.calibration import CalibrationBins


def _error(confidence, correct, valid=None) -> float:
    valid = [True] * len(confidence) if valid is None else valid
    bins = CalibrationBins.from_answers(
        jnp.asarray(confidence, jnp.float32), jnp.asarray(correct), jnp.asarray(valid)
    )
    return CalibrationBins.empty().merge(bins).compute()


def test_a_case_worked_by_hand():
    # Bin 10/15..11/15: two of three are right at a mean confidence of 0.7; last bin: one of
    # two at 1. |2/3 - 0.7| * 3/5 + |1/2 - 1| * 2/5 = 0.02 + 0.2.
    confidence = [0.68, 0.70, 0.72, 1.0, 1.0]
    assert _error(confidence, [True, True, False, True, False]) == pytest.approx(0.22)


def test_bins_apart_do_not_make_up_for_each_other():
    # In one bin the errors would cancel.
    assert _error([0.6, 0.9], [True, False]) == pytest.approx((0.4 + 0.9) / 2)


def test_sure_and_right_is_no_error():
    assert _error([1.0, 1.0], [True, True]) == 0.0


def test_an_edge_belongs_to_the_bin_below():
    count = CalibrationBins.from_answers(
        jnp.array([0.0, 1 / 3, 1.0]), jnp.ones(3, bool), jnp.ones(3, bool)
    ).count
    np.testing.assert_array_equal(np.flatnonzero(count), [0, 4, 14])


def test_padding_does_not_count():
    assert _error([0.6, 1.0], [True, False], valid=[True, False]) == pytest.approx(0.4)
    assert np.isnan(_error([1.0], [True], valid=[False]))


def test_batches_add_up():
    confidence, correct = np.float32([0.6, 0.7, 0.9, 1.0]), np.array([True, False, True, True])
    total = CalibrationBins.empty()
    for part in (slice(0, 1), slice(1, 4)):
        valid = jnp.ones(len(confidence[part]), bool)
        total = total.merge(
            CalibrationBins.from_answers(
                jnp.asarray(confidence[part]), jnp.asarray(correct[part]), valid
            )
        )
    assert total.compute() == pytest.approx(_error(confidence, correct))
