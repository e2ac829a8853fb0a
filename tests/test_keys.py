import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax import keys

KEY = jax.random.key(0)


def test_an_examples_noise_does_not_depend_on_its_batch():
    together = keys.normal(keys.example_keys(KEY, jnp.arange(8)), (4, 3))
    assert together.shape == (8, 4, 3) and together.dtype == jnp.float32
    for indices in ([5], [2, 7], [7, 6, 5, 4, 3, 2, 1, 0]):
        some = keys.normal(keys.example_keys(KEY, jnp.asarray(indices)), (4, 3))
        np.testing.assert_array_equal(some, together[jnp.asarray(indices)])


def test_examples_and_shared_keys_differ():
    first = keys.normal(keys.example_keys(KEY, jnp.arange(8)), (16,))
    other = keys.normal(keys.example_keys(jax.random.key(1), jnp.arange(8)), (16,))
    everything = np.concatenate([first, other])
    assert len(np.unique(everything)) == everything.size


def test_noise_is_standard_normal():
    noise = keys.normal(keys.example_keys(KEY, jnp.arange(500)), (20,))
    np.testing.assert_allclose(np.mean(noise), 0.0, atol=0.05)
    np.testing.assert_allclose(np.std(noise), 1.0, atol=0.05)
    # Across examples as well as within one.
    np.testing.assert_allclose(np.std(np.mean(noise, axis=1)), 1 / np.sqrt(20), rtol=0.15)
