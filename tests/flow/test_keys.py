import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.flow import keys

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


def _data(key) -> tuple[int, ...]:
    return tuple(np.asarray(jax.random.key_data(key)).ravel().tolist())


def test_streams_differ_from_each_other_and_from_examples():
    streams = {_data(keys.stream(KEY, name)) for name in keys.Stream}
    examples = {_data(keys.example_keys(KEY, jnp.asarray([index]))) for index in range(100)}
    assert len(streams) == len(keys.Stream) and not streams & examples


def test_streams_of_a_batch_are_those_of_its_keys():
    batch = keys.example_keys(KEY, jnp.arange(6)).reshape(2, 3)
    children = keys.stream(batch, keys.Stream.TIMES)
    assert children.shape == (2, 3)
    assert _data(children[1, 2]) == _data(keys.stream(batch[1, 2], keys.Stream.TIMES))


def test_a_key_that_is_consumed_twice_is_an_error():
    with pytest.raises(jax.errors.KeyReuseError):
        jax.jit(lambda key: jax.random.normal(key) + jax.random.uniform(key))(KEY)
