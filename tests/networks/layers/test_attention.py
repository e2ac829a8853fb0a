"""Attention of tokens to a context."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.networks.layers.attention import (
    MultiHeadAttention,
    SpatialTransformer,
    count_heads,
)

pytestmark = pytest.mark.slow


def _normal(seed: int, *shape: int) -> jax.Array:
    return jax.random.normal(jax.random.key(seed), shape)


def _variables(module, *inputs):
    """Random parameters, of a kind of key that compiles in a fraction of the time."""
    return jax.jit(module.init)(jax.random.key(2, impl="rbg"), *inputs)


@functools.partial(jax.jit, static_argnums=0)
def _apply(module, variables, *inputs):
    return module.apply(variables, *inputs)


ATTENTION = MultiHeadAttention(head_channels=4, use_bias=False, dtype=jnp.float32)
TRANSFORMER = SpatialTransformer(head_channels=4, num_groups=2, dtype=jnp.float32)


def test_one_token_of_context_is_all_there_is_to_attend_to():
    """Whatever is asked, the answer is that token's value."""
    tokens, context = _normal(0, 2, 5, 8), _normal(1, 2, 1, 6)
    variables = _variables(ATTENTION, tokens, context)
    result, params = _apply(ATTENTION, variables, tokens, context), variables["params"]
    value = context @ params["value"]["kernel"]
    expected = value @ params["out"]["kernel"] + params["out"]["bias"][None, None]
    np.testing.assert_allclose(result, np.broadcast_to(expected, (2, 5, 8)), atol=1e-5)


def test_the_order_of_the_context_does_not_matter_and_that_of_tokens_is_kept():
    tokens, context = _normal(0, 2, 5, 8), _normal(1, 2, 7, 6)
    variables = _variables(ATTENTION, tokens, context)
    result = _apply(ATTENTION, variables, tokens, context)
    mixed = _apply(ATTENTION, variables, tokens, context[:, ::-1])
    np.testing.assert_allclose(mixed, result, atol=1e-5)
    turned = _apply(ATTENTION, variables, tokens[:, ::-1], context)
    np.testing.assert_allclose(turned, result[:, ::-1], atol=1e-5)


def test_one_context_serves_all_examples():
    tokens, context = _normal(0, 3, 5, 8), _normal(1, 1, 7, 6)
    variables = _variables(ATTENTION, tokens, context)
    result = _apply(ATTENTION, variables, tokens, context)
    repeated = _apply(ATTENTION, variables, tokens, jnp.repeat(context, 3, axis=0))
    np.testing.assert_allclose(result, repeated, atol=1e-6)


@pytest.mark.parametrize("use_bias", [True, False])
def test_the_result_has_a_bias_and_the_others_as_asked(use_bias):
    tokens = _normal(0, 1, 3, 8)
    attention = MultiHeadAttention(4, use_bias, jnp.float32)
    params = jax.eval_shape(attention.init, jax.random.key(1), tokens, tokens)["params"]
    biased = {name for name, layer in params.items() if "bias" in layer}
    assert biased == ({"query", "key", "value", "out"} if use_bias else {"out"})


def test_a_transformer_keeps_the_shape_and_sees_all_pixels():
    x, context = _normal(0, 2, 3, 4, 8), _normal(1, 1, 5, 6)
    variables = _variables(TRANSFORMER, x, context)
    result = _apply(TRANSFORMER, variables, x, context)
    assert result.shape == x.shape and result.dtype == jnp.float32
    changed = _apply(TRANSFORMER, variables, x.at[0, 0, 0, 0].add(1.0), context)
    assert (np.abs(changed[0] - result[0]).max(axis=-1) > 0).all()
    np.testing.assert_array_equal(changed[1], result[1])  # Examples do not see each other.


def test_a_transformer_without_its_last_layer_is_the_identity():
    x, context = _normal(0, 1, 2, 2, 8), _normal(1, 1, 5, 6)
    params = _variables(TRANSFORMER, x, context)["params"]
    params |= {"out_dense": jax.tree.map(jnp.zeros_like, params["out_dense"])}
    result = _apply(TRANSFORMER, {"params": params}, x, context)
    np.testing.assert_array_equal(result, x)


def test_heads_divide_the_channels():
    assert count_heads(96, 32) == 3
    with pytest.raises(ValueError, match="96 channels cannot have heads of 64; choose config"):
        count_heads(96, 64)
