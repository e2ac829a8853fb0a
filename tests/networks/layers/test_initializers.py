"""First values of weights and biases."""

import jax
import numpy as np
import pytest

from symmflow_jax.networks.layers.initializers import dense_bias, fan_in_uniform


@pytest.mark.parametrize(
    ("shape", "bound"), [((16, 400), 1 / 4), ((3, 3, 4, 200), 1 / 6), ((100, 100), 1 / 10)]
)
def test_kernels_fill_the_interval_of_their_inputs(shape, bound):
    values = np.asarray(fan_in_uniform(jax.random.key(0), shape))
    assert values.shape == shape and values.dtype == np.float32
    assert 0.99 * bound < values.max() <= bound and -bound <= values.min() < -0.99 * bound
    # Uniform: the deviation is the width over the root of twelve.
    np.testing.assert_allclose(values.std(), 2 * bound / np.sqrt(12), rtol=0.03)


def test_biases_fill_the_interval_of_the_layers_inputs():
    values = np.asarray(dense_bias(25)(jax.random.key(0), (5_000,)))
    assert values.dtype == np.float32
    assert 0.199 < values.max() <= 0.2 and -0.2 <= values.min() < -0.199
    assert abs(values.mean()) < 0.01
