import numpy as np

from symmflow_jax.metrics.rejection import rejection_curve


def test_the_last_of_the_order_are_rejected_first():
    # Of ten answers those at 3 and 7 are wrong; 7 is the least sure, 3 the surest.
    order = np.array([3, 0, 1, 2, 4, 5, 6, 8, 9, 7])
    correct = ~np.isin(np.arange(10), (3, 7))
    curve = rejection_curve(order, correct, lambda kept: float(len(kept)))
    np.testing.assert_allclose(curve.rejected, np.arange(20) / 20)
    # Half an answer is not rejected.
    np.testing.assert_array_equal(curve.kept[:5], [10, 10, 9, 9, 8])
    assert curve.kept[-1] == 1
    np.testing.assert_allclose(curve.accuracy[:3], [0.8, 0.8, 8 / 9])
    assert curve.accuracy[-1] == 0.0
    np.testing.assert_array_equal(curve.auc, curve.kept)


def test_one_answer_is_never_rejected():
    curve = rejection_curve(np.array([0]), np.array([True]), lambda kept: float("nan"))
    assert (curve.kept == 1).all() and (curve.accuracy == 1.0).all() and np.isnan(curve.auc).all()
