"""Dropout that belongs to the example."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.flow import keys
from symmflow_jax.networks.layers.dropout import Dropout

_X = jnp.ones((8, 5, 5, 16))
_KEYS = keys.example_keys(jax.random.key(0), jnp.arange(8))


def test_a_mask_does_not_depend_on_the_batch():
    whole = Dropout(0.25).apply({}, _X, _KEYS)
    order = jnp.asarray([6, 1])
    np.testing.assert_array_equal(Dropout(0.25).apply({}, _X[order], _KEYS[order]), whole[order])
    assert len(np.unique(np.asarray(whole).reshape(8, -1), axis=0)) == 8


def test_the_mean_stays_and_the_rate_is_kept():
    dropped = np.asarray(Dropout(0.25).apply({}, _X, _KEYS))
    assert set(np.unique(dropped)) == {0.0, np.float32(1 / 0.75)}
    np.testing.assert_allclose(np.mean(dropped == 0.0), 0.25, atol=0.02)
    np.testing.assert_allclose(np.mean(dropped), 1.0, atol=0.03)


def test_layers_of_other_names_drop_other_activations():
    class TwoLayers(nn.Module):
        @nn.compact
        def __call__(self, x, example_keys):
            return [Dropout(0.5, name=name)(x, example_keys) for name in ("a", "b")]

    first, second = TwoLayers().apply({}, _X, _KEYS)
    assert np.any(first != second)


def test_without_keys_or_rate_nothing_changes():
    np.testing.assert_array_equal(Dropout(0.5).apply({}, _X, None), _X)
    np.testing.assert_array_equal(Dropout(0.0).apply({}, _X, _KEYS), _X)
