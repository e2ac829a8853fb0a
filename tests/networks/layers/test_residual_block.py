"""The residual block."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.networks.layers.residual_block import ResidualBlock

pytestmark = pytest.mark.slow


def _normal(seed: int, *shape: int) -> jax.Array:
    return jax.random.normal(jax.random.key(seed), shape)


def _without_zeros(params):
    return jax.tree.map(lambda leaf: leaf + 0.1, params)


def _variables(*inputs):
    """Random parameters, of a kind of key that compiles in a fraction of the time."""
    return jax.jit(BLOCK.init)(jax.random.key(2, impl="rbg"), *inputs)


BLOCK = ResidualBlock(8, num_groups=2, dropout_rate=0.5, dtype=jnp.float32)
APPLY = jax.jit(BLOCK.apply)


def test_a_block_starts_as_its_skip():
    x, embedding = _normal(0, 2, 3, 5, 8), _normal(1, 2, 6)
    variables = _variables(x, embedding)
    result = APPLY(variables, x, embedding)
    np.testing.assert_array_equal(result, x)
    assert "skip_conv" not in variables["params"]


def test_another_width_needs_a_layer_beside_it():
    x, embedding = _normal(0, 2, 3, 5, 4), _normal(1, 2, 6)
    variables = _variables(x, embedding)
    result = APPLY(variables, x, embedding)
    skip = variables["params"]["skip_conv"]
    assert result.shape == (2, 3, 5, 8) and skip["kernel"].shape == (1, 1, 4, 8)
    expected = x @ skip["kernel"][0, 0] + skip["bias"][None, None, None]
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_time_moves_its_own_example_alone():
    x, embedding = _normal(0, 2, 3, 5, 8), _normal(1, 2, 6)
    params = _without_zeros(_variables(x, embedding)["params"])
    # Of all channels alike, the normalisation behind it would hide the change.
    params["time_dense"]["kernel"] = _normal(3, 6, 8)
    result = APPLY({"params": params}, x, embedding)
    changed = APPLY({"params": params}, x, embedding.at[1].add(1.0))
    np.testing.assert_array_equal(changed[0], result[0])
    assert np.abs(changed[1] - result[1]).max() > 1e-3


def test_a_block_without_time_has_no_layer_for_it():
    x = _normal(0, 1, 3, 5, 8)
    variables = jax.eval_shape(BLOCK.init, jax.random.key(1), x, None)
    assert "time_dense" not in variables["params"]


def test_dropout_follows_each_examples_key():
    x = jnp.repeat(_normal(0, 1, 3, 5, 8), 3, axis=0)
    params = _without_zeros(_variables(x, None)["params"])
    keys = jax.random.wrap_key_data(jnp.asarray([[0, 1], [0, 1], [0, 2]], jnp.uint32))
    still = APPLY({"params": params}, x, None)
    dropped = APPLY({"params": params}, x, None, keys)
    np.testing.assert_allclose(dropped[0], dropped[1], atol=1e-6)
    assert np.abs(dropped[0] - dropped[2]).max() > 1e-3
    assert np.abs(dropped[0] - still[0]).max() > 1e-3
