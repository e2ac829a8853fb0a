import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.interop.names.pixel_unet import params_from_state_dict
from symmflow_jax.networks.velocity.unet import UNet

pytestmark = pytest.mark.slow

SMALL = UNet(channels=8, channel_multipliers=(1,), num_res_blocks=1, head_channels=4, num_groups=4)
TWO_LEVELS = dataclasses.replace(SMALL, channel_multipliers=(1, 2), attention_rates=(2,))

# Compiling takes nearly all the time of these tests; what is compiled hardly runs.
quick_jit = functools.partial(
    jax.jit,
    compiler_options={
        "xla_backend_optimization_level": 0,
        "xla_llvm_disable_expensive_passes": True,
    },
)


def inputs(batch=2, size=(4, 4), x_channels=3, y_channels=1):
    x_key, y_key, t_key = jax.random.split(jax.random.key(1), 3)
    x = jax.random.normal(x_key, (batch, *size, x_channels))
    y = jax.random.normal(y_key, (batch, *size, y_channels))
    return x, y, jax.random.uniform(t_key, (batch,))


def random_params(network, *args):
    """Parameters in which no layer is zero, so that each one matters."""
    shapes = jax.eval_shape(network.init, jax.random.key(0), *args)["params"]
    generator = np.random.default_rng(0)
    return jax.tree.map(
        lambda leaf: jnp.asarray(0.2 * generator.standard_normal(leaf.shape), jnp.float32), shapes
    )


@pytest.mark.parametrize(
    "name", ["two_blocks", "inner_attention", "outer_attention_narrowing", "three_levels"]
)
def test_agrees_with_the_pytorch_reference(reference_unet, name):
    case = reference_unet(name)
    params = params_from_state_dict(case.state_dict, case.network)
    v_x, v_y = jax.jit(case.network.apply)({"params": params}, case.x_t, case.y_t, case.t)
    np.testing.assert_allclose(v_x, case.v_x, rtol=0, atol=1e-4)
    np.testing.assert_allclose(v_y, case.v_y, rtol=0, atol=1e-4)


def test_mnist_network_has_the_papers_number_of_parameters():
    network = UNet(channels=32, channel_multipliers=(1, 2, 2, 2), attention_rates=(16,))
    args = inputs(1, (32, 32), 1, 1)
    params = jax.eval_shape(network.init, jax.random.key(0), *args)["params"]
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == 2_161_346


def test_velocities_at_init_are_zero_and_shaped_as_the_inputs():
    x, y, t = inputs(3, (4, 8), 3, 2)
    # This kind of key compiles in a fraction of the time.
    variables = quick_jit(SMALL.init)(jax.random.key(0, impl="rbg"), x, y, t)
    v_x, v_y = quick_jit(SMALL.apply)(variables, x, y, t)
    np.testing.assert_array_equal(v_x, np.zeros_like(x))
    np.testing.assert_array_equal(v_y, np.zeros_like(y))


def test_sides_that_cannot_be_halved_are_refused():
    network = dataclasses.replace(SMALL, channel_multipliers=(1, 1, 1))
    with pytest.raises(ValueError, match="4x6 cannot be halved 2 times; .* divisible by 4"):
        jax.eval_shape(network.init, jax.random.key(0), *inputs(1, (4, 6)))


def test_heads_that_do_not_divide_the_channels_are_refused():
    network = dataclasses.replace(SMALL, head_channels=12)
    with pytest.raises(ValueError, match="8 channels .* heads of 12; .*network.head_channels"):
        jax.eval_shape(network.init, jax.random.key(0), *inputs())


def test_bfloat16_computes_close_to_float32_with_float32_params_and_outputs():
    half = dataclasses.replace(SMALL, dtype=jnp.bfloat16)
    args = inputs()
    params = random_params(SMALL, *args)
    exact = quick_jit(SMALL.apply)({"params": params}, *args)
    with jax.numpy_dtype_promotion("standard"):  # JAX's own attention mixes the two.
        shapes = jax.eval_shape(half.init, jax.random.key(0), *args)
        rough = quick_jit(half.apply)({"params": params}, *args)
    assert {leaf.dtype for leaf in jax.tree.leaves(shapes)} == {jnp.dtype(jnp.float32)}
    for e, r in zip(exact, rough, strict=True):
        assert r.dtype == jnp.float32
        error = np.sqrt(np.mean(np.square(r - e)) / np.mean(np.square(e)))
        assert 0 < error < 0.03  # Zero would mean that nothing ran in bfloat16.


def test_remat_changes_neither_outputs_nor_gradients():
    args = inputs()
    params = random_params(SMALL, *args)

    def value_and_grad(network):
        def loss(params):
            v_x, v_y = network.apply({"params": params}, *args)
            return jnp.mean(jnp.square(v_x)) + jnp.mean(jnp.square(v_y))

        return quick_jit(jax.value_and_grad(loss))(params)

    plain = value_and_grad(SMALL)
    remat = value_and_grad(dataclasses.replace(SMALL, remat=True))
    jax.tree.map(lambda p, r: np.testing.assert_allclose(p, r, rtol=1e-4, atol=1e-6), plain, remat)


def test_dropout_acts_in_training_only():
    network = dataclasses.replace(SMALL, dropout_rate=0.5)
    args = inputs()
    params = random_params(network, *args)

    @quick_jit
    def train(key):
        dropout_keys = jax.random.split(key, len(args[0]))
        return network.apply({"params": params}, *args, dropout_keys=dropout_keys)[0]

    evaluated = quick_jit(network.apply)({"params": params}, *args)[0]
    without = quick_jit(SMALL.apply)({"params": params}, *args)[0]
    np.testing.assert_array_equal(evaluated, without)
    first, second = train(jax.random.key(0)), train(jax.random.key(1))
    assert np.max(np.abs(first - evaluated)) > 1e-3
    assert np.max(np.abs(first - second)) > 1e-3
    np.testing.assert_array_equal(first, train(jax.random.key(0)))


def test_dropout_with_remat_is_the_same_dropout():
    network = dataclasses.replace(SMALL, dropout_rate=0.5)
    args = inputs()
    variables = {"params": random_params(network, *args)}
    dropout_keys = jax.random.split(jax.random.key(0), len(args[0]))
    plain, remat = (
        quick_jit(n.apply)(variables, *args, dropout_keys=dropout_keys)
        for n in (network, dataclasses.replace(network, remat=True))
    )
    jax.tree.map(lambda p, r: np.testing.assert_allclose(p, r, rtol=1e-4, atol=1e-5), plain, remat)


def test_each_sample_is_alone():
    x, y, t = inputs(3)
    params = random_params(TWO_LEVELS, x, y, t)
    apply = quick_jit(TWO_LEVELS.apply)
    together = apply({"params": params}, x, y, t)
    alone = apply({"params": params}, x[1:2], y[1:2], t[1:2])
    for batch, single in zip(together, alone, strict=True):
        np.testing.assert_allclose(batch[1:2], single, rtol=1e-4, atol=1e-5)


def test_a_second_clock_starts_without_effect():
    x, y, t = inputs()
    one = random_params(SMALL, x, y, t)
    t_y = jnp.asarray([0.1, 0.9])
    both = jnp.stack([t, t_y], axis=-1)
    two = jax.eval_shape(SMALL.init, jax.random.key(0), x, y, both)["params"]
    first = quick_jit(lambda key: SMALL.init(key, x, y, both)["params"]["semantics_time"])
    params = {**one, "semantics_time": first(jax.random.key(0))}
    assert params.keys() == two.keys()
    apply = quick_jit(lambda params, t: SMALL.apply({"params": params}, x, y, t))
    expected = apply(one, t)
    jax.tree.map(
        np.testing.assert_array_equal, apply(params, jnp.stack([t, t_y], axis=-1)), expected
    )
    # And its gradient is not zero: it learns.
    gradient = quick_jit(
        jax.grad(lambda p: jnp.sum(SMALL.apply({"params": p}, x, y, jnp.stack([t, t_y], -1))[0]))
    )
    assert np.any(gradient(params)["semantics_time"]["out_dense"]["kernel"])


def test_a_vector_of_one_time_is_that_time_and_a_span_starts_without_effect():
    x, y, t = inputs()
    times = jnp.stack([t, jnp.asarray([0.1, 0.9])], axis=-1)
    params = random_params(SMALL, x, y, times)
    mapped = jnp.concatenate([times, jnp.asarray([[0.3], [0.0]])], axis=-1)
    shapes = jax.eval_shape(SMALL.init, jax.random.key(0), x, y, mapped)["params"]
    assert shapes.keys() - params.keys() == {"span"}
    span = jax.jit(lambda key: SMALL.init(key, x, y, mapped)["params"]["span"])(jax.random.key(0))

    @quick_jit
    def apply(params):
        at = functools.partial(SMALL.apply, {"params": params}, x, y)
        return at(t), at(t[:, None]), at(times), at(mapped)

    one, vector, two, three = apply({**params, "span": span})
    jax.tree.map(np.testing.assert_array_equal, one, vector)
    jax.tree.map(np.testing.assert_array_equal, two, three)
    assert np.abs(np.subtract(one[0], two[0])).max() > 1e-3


# 256 tokens: attention would be the kernel on TPU, which has no tangent.
_TOKENS = dataclasses.replace(SMALL, attention="xla")


def _tangents(network, params, x, y, t):
    def outputs(x, t):
        return network.apply({"params": params}, x, y, t)[0]

    directions = jnp.sin(jnp.arange(x.size, dtype=jnp.float32)).reshape(x.shape), jnp.ones_like(t)
    return outputs, directions


def test_tangents_agree_with_central_differences():
    x, y, t = inputs(1, (16, 16))
    params = random_params(_TOKENS, x, y, t)
    outputs, (dx, dt) = _tangents(_TOKENS, params, x, y, t)
    step = 1e-2

    @quick_jit
    def both(x, t):
        ahead, back = outputs(x + step * dx, t + step * dt), outputs(x - step * dx, t - step * dt)
        return jax.jvp(outputs, (x, t), (dx, dt))[1], (ahead - back) / (2 * step)

    tangent, difference = both(x, t)
    assert np.abs(tangent).max() > 0.1
    np.testing.assert_allclose(tangent, difference, rtol=0, atol=2e-2 * np.abs(tangent).max())


def test_tangents_beside_the_gradient_through_the_kernel_lower_for_tpu():
    """The attention of the network is the kernel; that of its tangents is XLA's."""
    kernel = dataclasses.replace(SMALL, attention="auto")
    x, y, t = inputs(1, (16, 16))
    params = jax.eval_shape(SMALL.init, jax.random.key(0), x, y, t)["params"]

    def loss(params, network):
        outputs, directions = _tangents(network, params, x, y, t)
        tangent = jax.lax.stop_gradient(jax.jvp(outputs, (x, t), directions)[1])
        own = kernel.apply({"params": params}, x, y, t)[0]
        return jnp.sum(jnp.square(own - tangent))

    with jax.numpy_dtype_promotion("standard"):  # The kernel mixes dtypes.
        traced = jax.jit(jax.grad(functools.partial(loss, network=_TOKENS))).trace(params)
        text = traced.lower(lowering_platforms=("tpu",)).as_text()
        assert "tpu_custom_call" in text
        traced.lower(lowering_platforms=("cpu",))
        # With the kernel there are no tangents: without XLA's attention this would not lower.
        with pytest.raises((TypeError, NotImplementedError)):
            jax.jit(jax.grad(functools.partial(loss, network=kernel))).trace(params)
