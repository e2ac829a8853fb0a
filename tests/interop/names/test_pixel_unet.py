import json
import pathlib

import jax
import numpy as np
import pytest

from symmflow_jax.interop.names.pixel_unet import params_from_state_dict, state_dict_from_params
from symmflow_jax.networks.velocity.unet import UNet

pytestmark = pytest.mark.slow

NEW_ORDER = pathlib.Path(__file__).parents[2] / "fixtures" / "attention_order.npz"

CASES = ["two_blocks", "inner_attention", "outer_attention_narrowing", "three_levels"]


@pytest.mark.parametrize("name", CASES)
def test_state_dict_survives_the_way_there_and_back(reference_unet, name):
    case = reference_unet(name)
    params = params_from_state_dict(case.state_dict, case.network)
    state_dict = state_dict_from_params(params, case.network)
    assert list(state_dict) == list(case.state_dict)  # The order of the reference, too.
    for key, array in case.state_dict.items():
        assert state_dict[key].dtype == np.float32
        np.testing.assert_array_equal(state_dict[key], array, err_msg=key)


@pytest.mark.parametrize("name", CASES)
def test_params_survive_the_way_there_and_back(reference_unet, name):
    case = reference_unet(name)
    shapes = jax.eval_shape(case.network.init, jax.random.key(0), case.x_t, case.y_t, case.t)
    generator = np.random.default_rng(0)
    params = jax.tree.map(
        lambda leaf: generator.standard_normal(leaf.shape).astype(np.float32), shapes["params"]
    )
    again = params_from_state_dict(state_dict_from_params(params, case.network), case.network)
    jax.tree.map(np.testing.assert_array_equal, again, params)


def test_half_precision_weights_become_float32(reference_unet):
    case = reference_unet("two_blocks")
    halves = {key: array.astype(np.float16) for key, array in case.state_dict.items()}
    params = params_from_state_dict(halves, case.network)
    assert {leaf.dtype for leaf in jax.tree.leaves(params)} == {np.dtype(np.float32)}


def test_all_bad_keys_of_a_state_dict_are_listed_at_once(reference_unet):
    case = reference_unet("inner_attention")
    weights = dict(case.state_dict)
    del weights["out.2.bias"], weights["middle_block.1.qkv.weight"]
    weights["label_emb.weight"] = np.zeros((10, 128), np.float32)
    weights["time_embed.0.weight"] = np.zeros((128, 64), np.float32)
    weights["input_blocks.1.0.in_layers.2.weight"] = np.zeros((32, 32, 1, 1), np.float32)
    with pytest.raises(ValueError) as error:
        params_from_state_dict(weights, case.network)
    message = str(error.value)
    assert "missing: middle_block.1.qkv.weight, out.2.bias;" in message
    assert "surplus: label_emb.weight;" in message
    assert "time_embed.0.weight is (128, 64), not (128, 32)" in message
    assert "input_blocks.1.0.in_layers.2.weight is (32, 32, 1, 1), not (32, 32, 3, 3)" in message
    assert "config.network" in message


def test_first_convolution_may_be_missing(reference_unet):
    case = reference_unet("inner_attention")
    weights = {k: v for k, v in case.state_dict.items() if k != "input_blocks.0.0.weight"}
    with pytest.raises(ValueError, match=r"\(missing: input_blocks.0.0.weight\)"):
        params_from_state_dict(weights, case.network)


def test_weights_of_another_depth_are_refused(reference_unet):
    weights = reference_unet("two_blocks").state_dict
    with pytest.raises(ValueError, match="surplus: .*output_blocks.2.1.conv.weight"):
        params_from_state_dict(weights, reference_unet("three_levels").network)


def test_all_bad_params_are_listed_at_once(reference_unet):
    case = reference_unet("two_blocks")
    params = params_from_state_dict(case.state_dict, case.network)
    del params["time"]["in_dense"]
    params["extra"] = {"kernel": np.zeros((2, 2), np.float32)}
    params["out_norm"]["scale"] = np.zeros(16, np.float32)
    with pytest.raises(ValueError) as error:
        state_dict_from_params(params, case.network)
    message = str(error.value)
    assert "missing: time/in_dense/bias, time/in_dense/kernel;" in message
    assert "surplus: extra/kernel;" in message
    assert "out_norm/scale is (16,), not (32,)" in message


@pytest.fixture(scope="module")
def new_order():
    """A `UNetModel` with `use_new_attention_order`: network, state dict, inputs and outputs."""
    arrays = dict(np.load(NEW_ORDER))
    attributes = json.loads(str(arrays["network"]))
    attributes = {k: tuple(v) if isinstance(v, list) else v for k, v in attributes.items()}
    state_dict = {
        name.removeprefix("weights/"): array.astype(np.float32)
        for name, array in arrays.items()
        if name.startswith("weights/")
    }
    return UNet(**attributes), state_dict, arrays


def test_the_new_order_of_attention_computes_what_pytorch_does(new_order):
    network, state_dict, arrays = new_order
    x_t, y_t = np.split(arrays["inputs"], [arrays["num_channels"][0]], axis=-1)

    apply = jax.jit(network.apply)

    def outputs(new_attention_order: bool) -> np.ndarray:
        params = params_from_state_dict(state_dict, network, new_attention_order)
        velocities = apply({"params": params}, x_t, y_t, arrays["t"])
        return np.concatenate(velocities, axis=-1)

    np.testing.assert_allclose(outputs(True), arrays["outputs"], rtol=0, atol=1e-4)
    # With the other order it is another function, of the same size.
    difference = np.std(outputs(False) - arrays["outputs"])
    assert difference > 0.05 * np.std(arrays["outputs"])


def test_both_orders_of_attention_survive_the_way_there_and_back(new_order):
    network, state_dict, _ = new_order
    for order in (False, True):
        params = params_from_state_dict(state_dict, network, order)
        again = state_dict_from_params(params, network, order)
        other = state_dict_from_params(params, network, not order)
        assert list(again) == list(state_dict)
        for name, array in state_dict.items():
            np.testing.assert_array_equal(again[name], array, err_msg=name)
            # One network in both orders: the same channels at other places.
            np.testing.assert_array_equal(np.sort(other[name], 0), np.sort(array, 0), err_msg=name)
            is_qkv = ".qkv." in name
            assert np.array_equal(other[name], array) != is_qkv
