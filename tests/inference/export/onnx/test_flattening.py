"""Programs as one list of operations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.inference.export.onnx.flattening import flatten
from symmflow_jax.networks.layers.fused_attention import attend

_SHAPE = jax.ShapeDtypeStruct((3,), jnp.float32)
_X = np.asarray([0.5, -1.0, 2.0], np.float32)


def _names(flat) -> set[str]:
    return {equation.primitive.name for equation in flat.jaxpr.eqns}


def _run(flat, *values):
    return jax.core.eval_jaxpr(flat.jaxpr, flat.consts, *values)


def test_noise_becomes_a_constant():
    def add_noise(x):
        return x + jax.jit(jax.random.normal, static_argnums=1)(jax.random.key(3), (3,))

    flat = flatten(add_noise, _SHAPE)
    assert _names(flat) == {"add"}
    np.testing.assert_array_equal(_run(flat, _X)[0], add_noise(_X))


@pytest.mark.parametrize("reverse", [False, True])
def test_loops_are_unrolled(reverse):
    def run(x):
        def body(carry, item):
            index, value = item
            noise = jax.random.uniform(jax.random.fold_in(jax.random.key(0), index))
            return carry * value + noise, carry

        return jax.lax.scan(body, jnp.float32(1.0), (jnp.arange(3), x), reverse=reverse)

    flat = flatten(run, _SHAPE)
    assert "scan" not in _names(flat) and not any("random" in name for name in _names(flat))
    for value, expected in zip(_run(flat, _X), jax.tree.leaves(run(_X)), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_platforms_are_chosen_before():
    shape = jax.ShapeDtypeStruct((1, 128, 1, 4), jnp.float32)
    flat = flatten(lambda x: attend(x, x, x), shape)
    assert not _names(flat) & {"cond", "platform_index", "pallas_call"}


def test_a_loop_of_unknown_length_is_refused():
    def double_until_large(x):
        return jax.lax.while_loop(lambda y: y[0] < 9.0, lambda y: 2.0 * y, x)

    with pytest.raises(NotImplementedError, match=r"a loop \(while\) whose number of turns"):
        flatten(double_until_large, _SHAPE)
