"""Velocity networks by name."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest

from symmflow_jax.config.build.method.networks import NETWORKS, make_network
from symmflow_jax.config.values import NetworkConfig

_SMALL = NetworkConfig(
    channels=8,
    channel_multipliers=(1, 2),
    num_res_blocks=1,
    num_groups=4,
    head_channels=8,
    cross_attention_width=8,
)
# All that are not for points are for components on one grid.
_POINTS = {"mlp": ((3,), (2,))}


def _shapes_of(name):
    return _POINTS.get(name, ((8, 8, 3), (8, 8, 2)))


def _run(config, times_shape=(2,)):
    """Shapes of parameters and outputs for a batch of two, without a computation."""
    network = make_network(config)

    def function(x, y, t):
        return network.init_with_output(jax.random.key(0), x, y, t)

    inputs = [jax.ShapeDtypeStruct((2, *shape), jnp.float32) for shape in _shapes_of(config.name)]
    # The attention of JAX itself mixes bfloat16 with float32.
    with jax.numpy_dtype_promotion("standard"):
        outputs, variables = jax.eval_shape(
            function, *inputs, jax.ShapeDtypeStruct(times_shape, jnp.float32)
        )
    return variables["params"], outputs


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("times_shape", [(2,), (2, 2)])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_every_network_gives_a_velocity_for_each_component(name, times_shape, dtype):
    config = dataclasses.replace(_SMALL, name=name, dtype=dtype)
    params, outputs = _run(config, times_shape)
    assert [output.shape for output in outputs] == [(2, *shape) for shape in _shapes_of(name)]
    assert {leaf.dtype for leaf in jax.tree.leaves((params, outputs))} == {jnp.dtype("float32")}
    assert make_network(config).dtype == jnp.dtype(dtype)


@pytest.mark.parametrize("name", NETWORKS)
def test_wider_networks_have_more_parameters(name):
    small, large = (
        sum(leaf.size for leaf in jax.tree.leaves(_run(config)[0]))
        for config in (
            dataclasses.replace(_SMALL, name=name),
            dataclasses.replace(_SMALL, name=name, channels=16),
        )
    )
    assert small < large


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_use_keys_of_the_config(name):
    keys = {field.name for field in dataclasses.fields(NetworkConfig)}
    assert {"name", "channels", "dtype"} <= NETWORKS[name].used_keys <= keys


def test_the_hidden_layers_of_the_mlp_are_its_blocks():
    params, _ = _run(dataclasses.replace(_SMALL, name="mlp", num_res_blocks=3))
    widths = [params[f"dense_{layer}"]["kernel"].shape for layer in range(3)]
    assert widths == [(6, 8), (8, 8), (8, 8)] and len(params) == 4
    assert NETWORKS["mlp"].used_keys == {"name", "channels", "num_res_blocks", "dtype"}


def test_only_the_latent_network_reads_a_text():
    readers = {name for name, c in NETWORKS.items() if "cross_attention_width" in c.used_keys}
    assert readers == {"latent_unet"}
