"""Areas under ROC curves, against scikit-learn (`fixtures/make_roc.py`)."""

import pathlib

import numpy as np
import pytest

from symmflow_jax.metrics import roc

_PATH = pathlib.Path(__file__).parents[1] / "fixtures" / "roc.npz"
_CASES = ("two", "five", "seven_tied")


@pytest.fixture(scope="module")
def arrays():
    return dict(np.load(_PATH))


@pytest.mark.parametrize("name", _CASES)
def test_areas_are_those_of_scikit_learn(arrays, name):
    targets, scores = arrays[f"{name}/targets"], arrays[f"{name}/scores"]
    areas = [roc.area(scores[:, label], targets == label) for label in range(scores.shape[1])]
    np.testing.assert_allclose(areas, arrays[f"{name}/areas"], rtol=1e-12)
    assert roc.one_vs_rest(scores, targets) == pytest.approx(arrays[f"{name}/areas"].mean())


def test_several_classes_are_those_of_scikit_learn(arrays):
    found = roc.medmnist(arrays["five/probabilities"], arrays["five/targets"])
    assert found == pytest.approx(float(arrays["five/macro"]), rel=1e-12)


def test_of_two_classes_the_second_one_counts_alone(arrays):
    found = roc.medmnist(arrays["two/scores"], arrays["two/targets"])
    assert found == pytest.approx(arrays["two/areas"][1])
    assert arrays["two/areas"][0] != pytest.approx(arrays["two/areas"][1], abs=1e-3)


def test_what_is_not_defined_is_nan_and_does_not_count():
    assert np.isnan(roc.area(np.array([1.0, 2.0]), np.array([True, True])))
    assert np.isnan(roc.one_vs_rest(np.ones((2, 3)), np.array([1, 1])))
    assert np.isnan(roc.medmnist(np.zeros((0, 2)), np.zeros(0, int)))
    # Nothing is of the third class: the mean is over the other two.
    scores = np.array([[3.0, 0.0, 9.0], [1.0, 2.0, 9.0], [2.0, 1.0, 0.0]])
    assert roc.one_vs_rest(scores, np.array([0, 1, 1])) == 1.0
