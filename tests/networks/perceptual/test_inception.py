"""Shapes of the Inception network and its small parts; its features: `interop/names`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.networks.perceptual import inception
from symmflow_jax.networks.perceptual.inception import NUM_FEATURES, Inception


@pytest.fixture(scope="module")
def variables():
    """Shapes alone: the network is large."""
    images = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.uint8)
    return jax.eval_shape(Inception().init, jax.random.key(0), images)


@pytest.mark.parametrize("size", [(8, 8), (299, 299), (40, 512)])
def test_images_of_any_size_have_2048_features(variables, size):
    images = jax.ShapeDtypeStruct((3, *size, 3), jnp.uint8)
    features = jax.eval_shape(Inception().apply, variables, images)
    assert features.shape == (3, NUM_FEATURES) == (3, 2048)
    assert features.dtype == jnp.float32


def test_weights_are_as_many_as_published(variables):
    """94 convolutions with their normalisations, without the classifiers."""
    kernels = [leaf for leaf in jax.tree.leaves(variables["params"]) if leaf.ndim == 4]
    assert len(kernels) == 94
    channels = sum(leaf.shape[-1] for leaf in kernels)
    total = sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))
    assert total - sum(leaf.size for leaf in kernels) == 2 * channels
    assert total == 21_785_568


def test_pixels_become_signals_of_the_networks_size():
    images = jnp.asarray([0, 255], jnp.uint8)[:, None, None, None]
    signals = inception._resize(jnp.broadcast_to(images, (2, 5, 7, 3)))
    assert signals.shape == (2, 299, 299, 3)
    np.testing.assert_allclose(signals[0], np.full((299, 299, 3), -1.0), atol=1e-6)
    np.testing.assert_allclose(signals[1], np.full((299, 299, 3), 1.0), atol=1e-6)


def test_padding_does_not_count_in_averages():
    x = jnp.asarray([[1.0, 2.0], [3.0, 6.0]])[None, :, :, None]
    np.testing.assert_allclose(inception._average(x), np.full((1, 2, 2, 1), 3.0))
    np.testing.assert_allclose(inception._average(-x), np.full((1, 2, 2, 1), -3.0))
    # Nor in maxima.
    np.testing.assert_allclose(inception._maximum(-x), np.full((1, 2, 2, 1), -1.0))
