import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.networks.layers.normalization import GroupNorm, layer_norm, norm_silu

pytestmark = pytest.mark.slow


def _example(dtype=np.float32):
    generator = np.random.default_rng(0)
    x = 3.0 + generator.standard_normal((2, 3, 5, 12)) * np.arange(1, 13)
    params = {
        "scale": generator.standard_normal(12).astype(np.float32),
        "bias": generator.standard_normal(12).astype(np.float32),
    }
    return jnp.asarray(x, dtype), {"params": params}


def test_group_norm_agrees_with_flax():
    x, variables = _example()
    for num_groups in (1, 4, 12):
        ours = jax.jit(GroupNorm(num_groups, 1e-5, jnp.float32).apply)(variables, x)
        reference = jax.jit(nn.GroupNorm(num_groups, epsilon=1e-5).apply)(variables, x)
        np.testing.assert_allclose(ours, reference, rtol=0, atol=2e-5)


@pytest.mark.parametrize("ratio", [1.0, 100.0, 1000.0])
def test_group_norm_keeps_its_digits_if_means_are_far_above_deviations(ratio):
    x, variables = _example()
    x = x + 5.0 * ratio
    ours = GroupNorm(4, 1e-5, jnp.float32).apply(variables, x)
    exact = np.float64(x).reshape(2, 15, 4, 3)
    exact = (exact - exact.mean((1, 3), keepdims=True)) / exact.std((1, 3), keepdims=True)
    params = variables["params"]
    exact = exact.reshape(x.shape) * np.float64(params["scale"]) + np.float64(params["bias"])
    np.testing.assert_allclose(ours, exact, rtol=0, atol=2e-5)


def test_the_gradient_of_group_norm_is_that_of_flax():
    x, variables = _example()
    weights = jnp.asarray(np.random.default_rng(1).standard_normal(x.shape), jnp.float32)

    def loss(norm, x):
        return jnp.sum(weights * norm.apply(variables, x))

    gradient = jax.jit(jax.grad(loss, argnums=1), static_argnums=0)
    ours = gradient(GroupNorm(4, 1e-5, jnp.float32), x)
    reference = gradient(nn.GroupNorm(4, epsilon=1e-5), x)
    np.testing.assert_allclose(ours, reference, rtol=0, atol=2e-5)


def test_group_norm_in_bfloat16_has_float32_statistics():
    x, variables = _example(jnp.bfloat16)
    x = x + jnp.bfloat16(64)  # The squares, summed in bfloat16, would lose the variance.
    ours = GroupNorm(4, 1e-5, jnp.bfloat16).apply(variables, x)
    assert ours.dtype == jnp.bfloat16
    exact = nn.GroupNorm(4, epsilon=1e-5).apply(variables, x.astype(jnp.float32))
    np.testing.assert_allclose(ours.astype(jnp.float32), exact, rtol=1e-2, atol=2e-2)


def test_group_norm_of_a_constant_is_its_bias():
    _, variables = _example()
    result = GroupNorm(4, 1e-6, jnp.float32).apply(variables, jnp.full((1, 2, 2, 12), 7.0))
    bias = jnp.broadcast_to(variables["params"]["bias"], result.shape)
    np.testing.assert_allclose(result, bias, rtol=0, atol=1e-2)


def test_layer_norm_keeps_the_dtype():
    class Norm(nn.Module):
        @nn.compact
        def __call__(self, x):
            return layer_norm(x, name="norm")

    x = jnp.asarray(np.random.default_rng(0).standard_normal((2, 3, 64)) + 5.0, jnp.bfloat16)
    result, variables = Norm().init_with_output(jax.random.key(0), x)
    assert result.dtype == jnp.bfloat16
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype(jnp.float32)}
    values = result.astype(jnp.float32)
    np.testing.assert_allclose(np.mean(values, -1), 0.0, atol=2e-2)
    np.testing.assert_allclose(np.std(values, -1), 1.0, atol=2e-2)


def test_norm_silu_lets_hardly_anything_negative_through():
    class Norm(nn.Module):
        @nn.compact
        def __call__(self, x):
            return norm_silu(x, 1, jnp.float32, name="norm")

    # Normalised: -1 and 1; SiLU of them by hand: -0.2689 and 0.7311.
    x = jnp.asarray([-3.0, 5.0])[None, :, None, None]
    result, variables = Norm().init_with_output(jax.random.key(0), x)
    np.testing.assert_allclose(result[0, :, 0, 0], [-0.2689, 0.7311], atol=1e-4)
    assert set(variables["params"]["norm"]) == {"scale", "bias"}
