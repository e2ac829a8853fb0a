"""Weights of classes: rare ones weigh more, and the mean over pixels is 1."""

import numpy as np
import pytest

from symmflow_jax.semantics import class_weights

_SHARES = np.asarray([0.9, 0.09, 0.01, 0.0])


@pytest.mark.parametrize("weigh", [class_weights.enet, class_weights.inverse_square_root])
def test_the_mean_weight_of_a_pixel_is_one(weigh):
    weights = weigh(_SHARES)
    assert np.isclose(weights @ _SHARES, 1.0)
    assert weights[0] < weights[1] < weights[2]
    assert weights[3] == 1.0


def test_ratios_are_those_of_the_formulas():
    root = class_weights.inverse_square_root(_SHARES)
    assert np.isclose(root[2] / root[0], np.sqrt(90))
    # 1 / ln(1.03) = 33.83 and 1 / ln(1.92) = 1.533, by hand.
    enet = class_weights.enet(_SHARES)
    assert np.isclose(enet[2] / enet[0], 33.83 / 1.533, rtol=1e-3)


@pytest.mark.parametrize("weigh", [class_weights.enet, class_weights.inverse_square_root])
def test_no_pixels_have_equal_weights(weigh):
    assert weigh(np.zeros(3)).tolist() == [1.0, 1.0, 1.0]
    np.testing.assert_allclose(weigh(np.full(4, 0.25)), 1.0)
