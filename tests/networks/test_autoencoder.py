import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.interop.names.autoencoder import params_from_state_dict
from symmflow_jax.networks.autoencoder import Autoencoder

pytestmark = pytest.mark.slow

SMALL = Autoencoder(
    channels=8, channel_multipliers=(1, 2), num_res_blocks=1, latent_channels=2, num_groups=4
)

quick_jit = functools.partial(
    jax.jit,
    compiler_options={
        "xla_backend_optimization_level": 0,
        "xla_llvm_disable_expensive_passes": True,
    },
)


@pytest.mark.parametrize("name", ["two_levels", "three_levels"])
def test_agrees_with_diffusers(reference_latent_network, name):
    case = reference_latent_network(f"autoencoder/{name}")
    variables = {"params": params_from_state_dict(case.state_dict, case.network)}
    encode = functools.partial(case.network.apply, method="encode")
    posterior = quick_jit(encode)(variables, case.arrays["images"])
    for value, key in zip(posterior, ("mean", "log_variance"), strict=True):
        np.testing.assert_allclose(value, case.arrays[key], rtol=0, atol=1e-4)
    decode = functools.partial(case.network.apply, method="decode")
    images = quick_jit(decode)(variables, case.arrays["latents"])
    np.testing.assert_allclose(images, case.arrays["decoded"], rtol=0, atol=1e-4)


def test_default_is_the_autoencoder_of_stable_diffusion():
    images = jax.ShapeDtypeStruct((1, 16, 24, 3), jnp.float32)
    network = Autoencoder()
    variables = jax.eval_shape(network.init, jax.random.key(0), images)
    assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == 83_653_863
    encode = functools.partial(network.apply, method="encode")
    posterior = jax.eval_shape(encode, variables, images)
    assert posterior.mean.shape == posterior.log_variance.shape == (1, 2, 3, 4)


def test_log_variance_is_bounded(reference_latent_network):
    case = reference_latent_network("autoencoder/two_levels")
    weights = dict(case.state_dict)
    weights["quant_conv.bias"] = np.repeat(np.float32([5, 90, -90]), [4, 2, 2])
    params = params_from_state_dict(weights, case.network)
    encode = functools.partial(case.network.apply, method="encode")
    posterior = quick_jit(encode)({"params": params}, case.arrays["images"])
    np.testing.assert_array_equal(posterior.log_variance[..., :2], 20.0)
    np.testing.assert_array_equal(posterior.log_variance[..., 2:], -30.0)
    assert np.max(np.abs(posterior.mean - 5.0)) < 5.0


def test_sides_without_latents_are_refused():
    images = jax.ShapeDtypeStruct((1, 4, 7, 3), jnp.float32)
    with pytest.raises(ValueError, match="4x7 .* sides divisible by 2"):
        jax.eval_shape(SMALL.init, jax.random.key(0), images)


def test_bfloat16_multiplies_no_float32_numbers(float32_operations):
    half = dataclasses.replace(SMALL, dtype=jnp.bfloat16)
    images = jax.ShapeDtypeStruct((1, 4, 6, 3), jnp.float32)
    variables = jax.eval_shape(SMALL.init, jax.random.key(0), images)
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {jnp.dtype(jnp.float32)}
    with jax.numpy_dtype_promotion("standard"):  # JAX's own attention mixes the two.
        lowered = jax.jit(half.apply).lower(variables, images)
    assert lowered.out_info.dtype == jnp.float32
    assert not float32_operations(lowered.as_text())
