import numpy as np
import pytest

from symmflow_jax.interop.names.autoencoder import params_from_state_dict, state_dict_from_params

CASES = ["autoencoder/two_levels", "autoencoder/three_levels"]
OLD_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def _old_name(name: str) -> str:
    for present, old in OLD_NAMES.items():
        name = name.replace(f"attentions.0.{present}.", f"attentions.0.{old}.")
    return name


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("rename", [str, _old_name])
def test_state_dict_survives_the_way_there_and_back(reference_latent_network, name, rename):
    case = reference_latent_network(name)
    given = {rename(key): array for key, array in case.state_dict.items()}
    params = params_from_state_dict(given, case.network)
    state_dict = state_dict_from_params(params, case.network)
    assert list(state_dict) == list(case.state_dict)  # The order of diffusers, too.
    for key, array in case.state_dict.items():
        np.testing.assert_array_equal(state_dict[key], array, err_msg=key)


def test_all_bad_keys_are_listed_at_once(reference_latent_network):
    case = reference_latent_network("autoencoder/two_levels")
    weights = {_old_name(key): array for key, array in case.state_dict.items()}
    del weights["encoder.mid_block.attentions.0.query.weight"]
    weights["decoder.norm.scale"] = np.zeros(3, np.float32)
    weights["quant_conv.weight"] = np.zeros((6, 6, 1, 1), np.float32)
    with pytest.raises(ValueError) as error:
        params_from_state_dict(weights, case.network)
    message = str(error.value)
    assert "missing: encoder.mid_block.attentions.0.to_q.weight;" in message
    assert "surplus: decoder.norm.scale;" in message
    assert "quant_conv.weight is (6, 6, 1, 1), not (8, 8, 1, 1)" in message
