import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.interop.names.latent_unet import params_from_state_dict
from symmflow_jax.networks.velocity.latent_unet import LatentUNet

pytestmark = pytest.mark.slow

SMALL = LatentUNet(
    channels=8,
    channel_multipliers=(1,),
    attention_rates=(1,),
    num_res_blocks=1,
    head_channels=4,
    num_groups=4,
    prompt_length=3,
    cross_attention_width=6,
)

# Compiling takes nearly all the time of these tests; what is compiled hardly runs.
quick_jit = functools.partial(
    jax.jit,
    compiler_options={
        "xla_backend_optimization_level": 0,
        "xla_llvm_disable_expensive_passes": True,
    },
)

apply_small = quick_jit(SMALL.apply)


def inputs(batch=2, size=(2, 4), channels=4):
    x_key, y_key, t_key = jax.random.split(jax.random.key(1), 3)
    x = jax.random.normal(x_key, (batch, *size, channels))
    y = jax.random.normal(y_key, (batch, *size, channels))
    return x, y, jax.random.uniform(t_key, (batch,))


def random_params(network, *args):
    """Parameters in which nothing is zero, so that each one matters."""
    shapes = jax.eval_shape(network.init, jax.random.key(0), *args)["params"]
    generator = np.random.default_rng(0)
    return jax.tree.map(
        lambda leaf: jnp.asarray(0.3 * generator.standard_normal(leaf.shape), jnp.float32), shapes
    )


def value_and_grad(network, params, args):
    def loss(params):
        v_x, v_y = network.apply({"params": params}, *args)
        return jnp.mean(jnp.square(v_x)) + jnp.mean(jnp.square(v_y))

    return quick_jit(jax.value_and_grad(loss))(params)


@pytest.mark.parametrize("name", ["outer_attention", "inner_attention_three_levels"])
def test_agrees_with_diffusers(reference_latent_network, name):
    case = reference_latent_network(f"unet/{name}")
    params = params_from_state_dict(case.state_dict, case.network)
    arrays = case.arrays
    velocities = quick_jit(case.network.apply)(
        {"params": params}, arrays["x_t"], arrays["y_t"], arrays["t"]
    )
    outputs = np.concatenate(velocities, axis=-1)
    np.testing.assert_allclose(outputs, arrays["outputs"], rtol=0, atol=1e-4)


def test_default_is_stable_diffusion_2_1_with_doubled_channels():
    params = jax.eval_shape(LatentUNet().init, jax.random.key(0), *inputs(1, (8, 8)))["params"]
    prompt = params.pop("prompt_embedding")
    assert prompt.shape == (77, 1024)
    published = 865_910_724
    doubled = 320 * 4 * 9 + 4 * 320 * 9 + 4
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == published + doubled


def test_remat_changes_neither_outputs_nor_gradients_and_the_prompt_gets_none():
    args = inputs()
    params = random_params(SMALL, *args)
    plain = value_and_grad(SMALL, params, args)
    remat = value_and_grad(dataclasses.replace(SMALL, remat=True), params, args)
    jax.tree.map(lambda p, r: np.testing.assert_allclose(p, r, rtol=1e-3, atol=1e-6), plain, remat)
    gradient = plain[1]
    np.testing.assert_array_equal(gradient.pop("prompt_embedding"), 0.0)
    assert all(np.any(leaf) for leaf in jax.tree.leaves(gradient))


def test_prompt_matters_and_is_zero_at_init():
    args = inputs()
    at_init = quick_jit(lambda key: SMALL.init(key, *args)["params"]["prompt_embedding"])
    np.testing.assert_array_equal(at_init(jax.random.key(0)), np.zeros((3, 6)))
    params = random_params(SMALL, *args)
    before, _ = apply_small({"params": params}, *args)
    params["prompt_embedding"] = -params["prompt_embedding"]
    after, _ = apply_small({"params": params}, *args)
    assert np.max(np.abs(before - after)) > 1e-3


def test_bfloat16_multiplies_no_float32_numbers(float32_operations):
    # Two levels have every kind of layer; and enough tokens for the attention of TPUs.
    exact = dataclasses.replace(SMALL, channel_multipliers=(1, 2))
    half = dataclasses.replace(exact, dtype=jnp.bfloat16, remat=True)
    args = inputs(size=(16, 16))
    variables = jax.eval_shape(exact.init, jax.random.key(0), *args)

    def loss(variables):
        v_x, v_y = half.apply(variables, *args)
        assert v_x.dtype == v_y.dtype == jnp.float32
        return jnp.mean(v_x) + jnp.mean(v_y)

    with jax.numpy_dtype_promotion("standard"):  # JAX's own attention mixes the two.
        traced = jax.jit(jax.grad(loss)).trace(variables)
        for platform in ("cpu", "tpu"):
            text = traced.lower(lowering_platforms=(platform,)).as_text()
            assert not float32_operations(text)
    assert float32_operations(jax.jit(exact.apply).lower(variables, *args).as_text())


def test_bfloat16_computes_close_to_float32():
    args = inputs()
    params = random_params(SMALL, *args)
    exact = apply_small({"params": params}, *args)
    with jax.numpy_dtype_promotion("standard"):  # JAX's own attention mixes the two.
        half = dataclasses.replace(SMALL, dtype=jnp.bfloat16)
        rough = quick_jit(half.apply)({"params": params}, *args)
    for e, r in zip(exact, rough, strict=True):
        error = np.sqrt(np.mean(np.square(r - e)) / np.mean(np.square(e)))
        assert 0 < error < 0.03  # Zero would mean that nothing ran in bfloat16.


def test_heads_that_do_not_divide_the_channels_are_refused():
    network = dataclasses.replace(SMALL, head_channels=12)
    with pytest.raises(ValueError, match="8 channels .* heads of 12; .*network.head_channels"):
        jax.eval_shape(network.init, jax.random.key(0), *inputs())
