import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import pallas

from symmflow_jax.networks.layers import fused_attention
from symmflow_jax.networks.layers.fused_attention import attend

pytestmark = pytest.mark.slow


def _arrays(length, context_length, dtype=jnp.float32):
    generator = np.random.default_rng(0)
    shapes = ((1, length, 2, 8), (1, context_length, 2, 8), (1, context_length, 2, 8))
    return [jnp.asarray(generator.standard_normal(shape), dtype) for shape in shapes]


def _in_float64(query, key, value):
    """The definition, written with NumPy."""
    query, key, value = (np.asarray(array, np.float64) for array in (query, key, value))
    logits = np.einsum("bqhn,bkhn->bhqk", query, key) / np.sqrt(query.shape[-1])
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return np.einsum("bhqk,bkhn->bqhn", weights, value)


@pytest.mark.parametrize("lengths", [(3, 5), (128, 77), (128, 128)])
def test_attention_is_what_it_is_defined_as(lengths):
    arrays = _arrays(*lengths)
    result = jax.jit(attend)(*arrays)
    np.testing.assert_allclose(result, _in_float64(*arrays), rtol=0, atol=1e-5)


@functools.partial(jax.jit, static_argnums=0)
def _gradients(function, arrays):
    return jax.grad(lambda *a: jnp.sum(jnp.square(function(*a))), argnums=(0, 1, 2))(*arrays)


def test_the_kernel_agrees_in_values_and_gradients(monkeypatch):
    interpreted = functools.partial(pallas.pallas_call, interpret=True)
    monkeypatch.setattr(pallas, "pallas_call", interpreted)
    arrays = _arrays(256, 128)
    with jax.numpy_dtype_promotion("standard"):
        ours = fused_attention._flash_attention(*arrays)
        our_gradients = _gradients(fused_attention._flash_attention, arrays)
    np.testing.assert_allclose(ours, _in_float64(*arrays), rtol=0, atol=1e-5)
    theirs = _gradients(jax.nn.dot_product_attention, arrays)
    for our, their in zip(our_gradients, theirs, strict=True):
        np.testing.assert_allclose(our, their, rtol=0, atol=1e-4)


def test_on_tpu_there_are_no_logits():
    arrays = _arrays(1024, 1024, jnp.bfloat16)
    with jax.numpy_dtype_promotion("standard"):  # JAX's own attention mixes the two.
        traced = jax.jit(attend).trace(*arrays)
    text = traced.lower(lowering_platforms=("tpu",)).as_text()
    assert "tpu_custom_call" in text and "1024x1024" not in text
    assert "1024x1024" in traced.lower(lowering_platforms=("cpu",)).as_text()


@pytest.mark.parametrize(
    ("length", "most", "step", "expected"),
    [(4096, 512, 128, 512), (640, 512, 128, 128), (768, 512, 128, 384), (8, 4, 1, 4)],
)
def test_blocks_divide_a_length(length, most, step, expected):
    assert fused_attention._largest_block(length, most, step) == expected
