"""Shapes of a U-Net's parameters for channels that its weights tell."""

import jax
import numpy as np
import pytest

from symmflow_jax.interop.names import layouts
from symmflow_jax.interop.names.unet_shapes import channels_of, param_shapes, shapes_for


@pytest.fixture(scope="module")
def network(tiny_experiment):
    return tiny_experiment().method.network


@pytest.mark.parametrize("channels", [2, 7])
def test_both_ends_have_the_channels_and_nothing_else_does(network, channels):
    shapes, others = param_shapes(network, channels), param_shapes(network, channels + 1)
    assert shapes[("stem", "kernel")] == (3, 3, channels, 8)
    differing = {path for path in shapes if shapes[path] != others[path]}
    assert len(differing) == 3  # The first kernel; the last one and its bias.


def test_shapes_are_those_of_the_network_in_use(tiny_experiment, network):
    method = tiny_experiment().method
    params = jax.eval_shape(method.init, jax.random.key(0))
    channels = sum(shape[-1] for shape in method.codec.shapes)
    found = param_shapes(network, channels)
    assert found == layouts.shapes_of(params) == shapes_for(params, network)


def test_parameters_without_a_stem_are_compared_with_any_shapes(network):
    assert shapes_for({}, network).keys() == param_shapes(network, 5).keys()


def test_channels_are_read_at_either_end():
    first, last = np.zeros((8, 5, 3, 3)), np.zeros((6, 8, 3, 3))
    assert channels_of({"a": first, "b": last}, "a", "b") == 5
    assert channels_of({"b": last}, "a", "b") == 6
    # What is no kernel tells nothing.
    assert channels_of({"a": np.zeros(9), "b": last}, "a", "b") == 6
    assert channels_of({}, "a", "b") > 0
