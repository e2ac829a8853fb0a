import numpy as np
import pytest

from symmflow_jax.interop.names.latent_unet import (
    params_from_state_dict,
    repeat_channels,
    state_dict_from_params,
)

CASES = ["unet/outer_attention", "unet/inner_attention_three_levels"]


@pytest.mark.parametrize("name", CASES)
def test_state_dict_survives_the_way_there_and_back(reference_latent_network, name):
    case = reference_latent_network(name)
    params = params_from_state_dict(case.state_dict, case.network)
    state_dict = state_dict_from_params(params, case.network)
    assert list(state_dict) == list(case.state_dict)  # The order of diffusers, too.
    for key, array in case.state_dict.items():
        assert state_dict[key].dtype == np.float32
        np.testing.assert_array_equal(state_dict[key], array, err_msg=key)


def test_all_bad_keys_are_listed_at_once(reference_latent_network):
    case = reference_latent_network("unet/outer_attention")
    weights = dict(case.state_dict)
    query = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
    del weights[f"{query}.weight"], weights["prompt_embedding"]
    weights[f"{query}.bias"] = np.zeros(64, np.float32)
    weights["mid_block.attentions.0.proj_in.weight"] = np.zeros((64, 64, 1, 1), np.float32)
    with pytest.raises(ValueError) as error:
        params_from_state_dict(weights, case.network)
    message = str(error.value)
    assert f"missing: {query}.weight, prompt_embedding;" in message
    assert f"surplus: {query}.bias;" in message
    assert "mid_block.attentions.0.proj_in.weight is (64, 64, 1, 1), not (64, 64)" in message
    assert "config.network" in message


def test_weights_of_fewer_levels_are_refused(reference_latent_network):
    weights = reference_latent_network("unet/outer_attention").state_dict
    with pytest.raises(
        ValueError, match=r"missing: down_blocks\.0\.resnets\.1\.norm1\.weight, .* more;"
    ):
        params_from_state_dict(
            weights, reference_latent_network("unet/inner_attention_three_levels").network
        )


def test_repeated_weights_answer_twice_to_the_sum_of_both_inputs(reference_latent_network):
    case = reference_latent_network("unet/inner_attention_three_levels")
    narrow = params_from_state_dict(case.state_dict, case.network)
    wide = params_from_state_dict(repeat_channels(case.state_dict, 2), case.network)
    generator = np.random.default_rng(0)
    first, second = generator.standard_normal((2, 4, 4, 4), np.float32)
    stem = wide["stem"]["kernel"]
    np.testing.assert_allclose(
        np.einsum("hwio,hwi->o", stem, np.concatenate([first, second], -1)[:3, :3]),
        np.einsum("hwio,hwi->o", narrow["stem"]["kernel"], (first + second)[:3, :3]),
        rtol=1e-4,
    )
    features = generator.standard_normal(16, np.float32)
    once = features @ narrow["out_conv"]["kernel"][1, 1] + narrow["out_conv"]["bias"]
    twice = features @ wide["out_conv"]["kernel"][1, 1] + wide["out_conv"]["bias"]
    np.testing.assert_allclose(twice, np.concatenate([once, once]), rtol=1e-5)
    assert set(wide) == set(narrow)
