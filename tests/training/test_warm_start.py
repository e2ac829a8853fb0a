"""A network that begins with the parameters of another one."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.codecs.pixels import PixelCodec
from symmflow_jax.flow.state import JointState
from symmflow_jax.flow.time_sampling import TimeSampling
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.methods.weights import Weights
from symmflow_jax.networks.velocity.mlp import MLP
from symmflow_jax.networks.velocity.unet import UNet
from symmflow_jax.runtime.compilation import jit_once
from symmflow_jax.semantics.one_hot import OneHot
from symmflow_jax.training.warm_start import inherit

_TIED, _TWO = TimeSampling(), TimeSampling(0.0, 1.0, 0.0, 0.0)
_KEY = jax.random.key(7)


def _method(kind: str, num_classes: int, times: TimeSampling) -> SymmFlow:
    if kind == "mlp":
        network = MLP(features=8, num_layers=2)
        return SymmFlow(network, PixelCodec(OneHot(num_classes), (2,)), time_sampling=times)
    network = UNet(4, (1,), 1, head_channels=4, num_groups=2)
    codec = PixelCodec(OneHot(num_classes), (4, 4, 3))
    return SymmFlow(network, codec, time_sampling=times)


def _trained(method: SymmFlow):
    """Parameters of which none is zero, on the host."""
    shapes = jax.eval_shape(method.init, _KEY)
    rng = np.random.default_rng(0)
    return jax.tree.map(lambda leaf: rng.standard_normal(leaf.shape).astype(np.float32), shapes)


def _velocities(method: SymmFlow, params, state: JointState) -> JointState:
    times = JointState(jnp.float32(0.3), jnp.float32(0.3))
    return method.velocity(Weights(params))(state, times)


def _state(method: SymmFlow) -> JointState:
    rng = np.random.default_rng(1)
    return JointState(
        *(jnp.asarray(rng.standard_normal((2, *shape)), "float32") for shape in method.codec.shapes)
    )


def test_new_clocks_change_no_output():
    one, two = _method("mlp", 3, _TIED), _method("mlp", 3, _TWO)
    params = _trained(one)
    found = inherit(params, one, two, _KEY, keeps_semantics=True)
    shapes = jax.tree.map(jnp.shape, found.params)
    assert shapes == jax.tree.map(jnp.shape, jax.eval_shape(two.init, _KEY))
    assert not found.zero and not found.anew and not found.left
    state = _state(one)
    for ours, theirs in zip(
        _velocities(two, found.params, state), _velocities(one, params, state), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["mlp", "unet"])
def test_other_classes_get_their_part_of_two_layers_anew(kind):
    old, new = _method(kind, 3, _TWO), _method(kind, 5, _TWO)
    params, network = _trained(old), old.network
    found = inherit(params, old, new, _KEY, keeps_semantics=False)
    assert set(found.anew) == {network.in_layer, network.out_layer}
    fresh = jax.device_get(jit_once(new.init)(_KEY))
    image = new.codec.shapes.image[-1]
    ends = {
        f"{network.in_layer}/kernel": -2,
        f"{network.out_layer}/kernel": -1,
        f"{network.out_layer}/bias": -1,
    }
    for name, axis in ends.items():
        layer, leaf = name.split("/")
        made, first, trained = (np.moveaxis(tree[layer][leaf], axis, 0)
                                for tree in (found.params, fresh, params))  # fmt: skip
        np.testing.assert_array_equal(made[:image], trained[:image])
        np.testing.assert_array_equal(made[image : image + 5], first[image : image + 5])
        np.testing.assert_array_equal(made[image + 5 :], trained[image + 3 :])  # Times.
    untouched = set(params) - {network.in_layer, network.out_layer}
    assert untouched
    for module in untouched:
        jax.tree.map(np.testing.assert_array_equal, found.params[module], params[module])


def test_what_one_network_alone_has_starts_at_zero_or_is_left():
    two, one = _method("unet", 3, _TWO), _method("unet", 3, _TIED)
    found = inherit(_trained(two), two, one, _KEY, keeps_semantics=True)
    assert found.left == ("semantics_time",) and not found.zero
    assert found.taken == len(jax.tree.leaves(found.params))
    found = inherit(_trained(one), one, two, _KEY, keeps_semantics=True)
    assert found.zero == ("semantics_time",) and not found.left
    assert not np.any(found.params["semantics_time"]["out_dense"]["kernel"])


def test_networks_of_another_kind_are_refused():
    old = _method("mlp", 3, _TIED)
    wider = dataclasses.replace(old, network=old.network.clone(features=16))
    with pytest.raises(ValueError, match=r"has shape \(.*\), not \("):
        inherit(_trained(old), old, wider, _KEY, keeps_semantics=True)
    deeper = dataclasses.replace(old, network=old.network.clone(num_layers=3))
    with pytest.raises(ValueError, match="lacks dense_2"):
        inherit(_trained(old), old, deeper, _KEY, keeps_semantics=True)


def test_a_network_without_named_layers_keeps_its_semantics():
    class Unnamed(MLP):
        in_layer = ""

    method = _method("mlp", 3, _TWO)
    other = dataclasses.replace(method, network=Unnamed(features=8, num_layers=2))
    with pytest.raises(ValueError, match="Unnamed does not name its first and last layer"):
        inherit(_trained(method), method, other, _KEY, keeps_semantics=False)
