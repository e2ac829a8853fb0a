"""Signals that repeat one code over a grid."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.semantics.planes import (
    broadcast_over_plane,
    mean_over_plane,
    uniform_noise,
    with_ndim,
)


def test_uniform_noise_is_centred():
    noise = uniform_noise(jax.random.key(0), (10_000,), 3.0)
    assert -1.5 <= np.min(noise) < -1.49 and 1.49 < np.max(noise) <= 1.5


@pytest.mark.parametrize("spatial_shape", [(), (2,), (2, 3)])
def test_the_mean_of_a_repeated_code_is_the_code(spatial_shape):
    codes = jnp.asarray([[1.0, -2.0], [0.5, 4.0], [0.0, 3.0]])
    signal = broadcast_over_plane(codes, spatial_shape)
    assert signal.shape == (3, *spatial_shape, 2)
    np.testing.assert_allclose(mean_over_plane(signal, spatial_shape), codes, rtol=1e-6)


def test_the_mean_is_over_the_plane_alone():
    signal = jnp.arange(24.0).reshape(2, 2, 3, 2)
    # Even numbers stand in the first channel: 0 to 10, then 12 to 22.
    np.testing.assert_allclose(mean_over_plane(signal, (2, 3)), [[5.0, 6.0], [17.0, 18.0]])
    np.testing.assert_array_equal(mean_over_plane(signal, ()), signal)


def test_codes_get_leading_axes_of_one():
    codes = jnp.arange(6.0).reshape(2, 3)
    assert with_ndim(codes, 4).shape == (1, 1, 2, 3)
    np.testing.assert_array_equal(with_ndim(codes, 2), codes)
