import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.networks.layers.time_embedding import TimeEmbedding, sinusoids


def test_known_values():
    features = sinusoids(jnp.asarray([0.0, 1.0]), 4, max_period=100.0)
    # Frequencies 1 and 1/10: cosines, then sines.
    expected = [[1.0, 1.0, 0.0, 0.0], [np.cos(1.0), np.cos(0.1), np.sin(1.0), np.sin(0.1)]]
    np.testing.assert_allclose(features, expected, atol=1e-6)


def test_odd_width_ends_in_zero():
    t = jnp.asarray([0.3])
    features = sinusoids(t, 5)
    assert features.shape == (1, 5)
    np.testing.assert_array_equal(features[:, :4], sinusoids(t, 4))
    assert features[0, 4] == 0


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_features_are_float32(dtype):
    assert sinusoids(jnp.asarray([0.5], dtype), 8).dtype == jnp.float32


def test_embedding_tells_times_apart():
    t = jnp.linspace(0.0, 1.0, 11)
    module = TimeEmbedding(num_sinusoids=16, features=64)
    embedding, _ = module.init_with_output(jax.random.key(0), t)
    assert embedding.shape == (11, 64)
    distances = jnp.linalg.norm(embedding[1:] - embedding[:-1], axis=-1)
    assert jnp.all(distances > 1e-3)


def test_initial_weights_lie_in_the_published_interval():
    params = TimeEmbedding(16, 64).init(jax.random.key(0), jnp.zeros(1))["params"]
    for name, fan_in in (("in_dense", 16), ("out_dense", 64)):
        for leaf in jax.tree.leaves(params[name]):
            largest = np.max(np.abs(leaf))
            assert 0.8 / np.sqrt(fan_in) < largest <= 1 / np.sqrt(fan_in)
