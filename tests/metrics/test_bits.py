import math

import numpy as np
import pytest

from symmflow_jax.metrics.bits import MeanAndError, bits


def test_equally_probable_levels_have_eight_bits():
    # 256 bins, each 1/127.5 wide.
    nats = np.full(3, -12 * math.log(256 / 127.5))
    np.testing.assert_allclose(bits(nats, 12, 1 / 127.5) / 12, np.full(3, 8.0), rtol=1e-12)


def test_a_certain_value_has_no_bits():
    np.testing.assert_allclose(bits(np.asarray([math.log(4.0)]), 1, 0.25), [0.0], atol=1e-12)


def test_a_half_as_dense_example_has_a_bit_more():
    first, second = bits(np.log([1.0, 0.5]), 7, 0.1)
    assert second - first == pytest.approx(1.0)


def test_the_error_of_a_mean_leaves_padding_out():
    values = np.random.default_rng(0).normal(1e4, 2.0, 50)
    together = MeanAndError()
    together.add(values[:20], np.ones(20, bool))
    together.add(np.append(values[20:], [np.nan, 7.0]), np.arange(32) < 30)
    assert together.count == 50 and together.mean == pytest.approx(values.mean(), rel=1e-12)
    expected = values.std(ddof=1) / 50**0.5
    assert together.standard_error == pytest.approx(expected, rel=1e-6)


def test_too_few_values_have_no_error():
    one = MeanAndError()
    assert math.isnan(one.mean) and math.isnan(one.standard_error)
    one.add([3.0], [True])
    assert one.mean == 3.0 and math.isnan(one.standard_error)
