"""Weights of a run with the names that PyTorch programs use."""

import dataclasses
import json
import pathlib
import types

import numpy as np
import pytest
import safetensors.numpy

from symmflow_jax.flow.time_sampling import TimeSampling
from symmflow_jax.inference.export import state_dict
from symmflow_jax.inference.export.state_dict import export_weights
from symmflow_jax.interop.names import latent_unet
from symmflow_jax.interop.names.torch_form import TorchForm
from symmflow_jax.interop.torch_files import WeightsFileError
from symmflow_jax.preparation.import_weights import import_weights
from symmflow_jax.runtime.errors import CheckpointError
from symmflow_jax.runtime.outputs import OutputError

FIXTURES = pathlib.Path(__file__).parents[2] / "fixtures"

DIGITS = {
    "data.source": "idx",
    "data.dir": "nowhere",
    "data.image_size": (8, 8),
    "data.image_channels": 1,
    "semantics.encoding": "plane",
    "semantics.dequantization_beta": 4.0,
}


@pytest.fixture
def digits(tiny_experiment, reference_unet):
    """A reference U-Net, and the config of a run of digits that has its network."""
    case = reference_unet("two_blocks")
    values = dataclasses.asdict(case.network)
    keys = ("channels", "channel_multipliers", "num_res_blocks", "attention_rates")
    network = {f"network.{key}": values[key] for key in (*keys, "head_channels", "num_groups")}
    return case, tiny_experiment(**DIGITS, **network)


def _save(path: pathlib.Path, arrays) -> pathlib.Path:
    safetensors.numpy.save_file(dict(arrays), path)
    return path


def test_export_after_import_is_the_identity(digits, tmp_path):
    case, experiment = digits
    import_weights(experiment, _save(tmp_path / "a.safetensors", case.state_dict), tmp_path / "run")
    export_weights(tmp_path / "run", tmp_path / "out" / "b.safetensors")
    exported = safetensors.numpy.load_file(tmp_path / "out" / "b.safetensors")
    assert set(exported) == set(case.state_dict)
    for key, array in case.state_dict.items():
        np.testing.assert_array_equal(exported[key], array, err_msg=key)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.safetensors"]


@pytest.fixture
def published_keys() -> dict[str, dict[str, list[int]]]:
    """Names and shapes of the modules into which the published code loads weights."""
    return json.loads((FIXTURES / "published_keys.json").read_text(encoding="utf-8"))


def _shapes(path: pathlib.Path) -> dict[str, list[int]]:
    arrays = safetensors.numpy.load_file(path)
    return {name: list(array.shape) for name, array in arrays.items()}


def test_an_exported_pixel_unet_has_the_published_keys(digits, published_keys, tmp_path):
    case, experiment = digits
    path = _save(tmp_path / "a.safetensors", case.state_dict)
    import_weights(experiment, path, tmp_path / "run", new_attention_order=True)
    for new_order in (True, False):
        form = TorchForm(new_attention_order=new_order)
        export_weights(tmp_path / "run", tmp_path / f"{new_order}.safetensors", form=form)
        assert _shapes(tmp_path / f"{new_order}.safetensors") == published_keys["pixel/two_blocks"]
    name = "middle_block.1.qkv.weight"
    same, other = (
        safetensors.numpy.load_file(tmp_path / f"{new_order}.safetensors")
        for new_order in (True, False)
    )
    np.testing.assert_array_equal(same[name], case.state_dict[name])
    assert "out.2.weight" in other


@pytest.fixture
def latent(tiny_experiment, reference_latent_network):
    """A latent U-Net of diffusers, and the config of a run that has its network."""
    case = reference_latent_network("unet/outer_attention")
    values = dataclasses.asdict(case.network)
    keys = (
        *("channels", "channel_multipliers", "num_res_blocks", "attention_rates"),
        *("head_channels", "num_groups", "cross_attention_width"),
    )
    network = {f"network.{key}": values[key] for key in keys} | {"network.name": "latent_unet"}
    return case, tiny_experiment(**network)


def test_an_exported_latent_unet_loads_strictly(latent, published_keys, tmp_path, monkeypatch):
    case, experiment = latent
    network = experiment.without_files().method.network.clone(prompt_length=5)
    params = latent_unet.params_from_state_dict(case.state_dict, network)
    loaded = types.SimpleNamespace(
        method=types.SimpleNamespace(network=network, time_sampling=TimeSampling()),
        weights=types.SimpleNamespace(network=params),
        step=3,
    )
    monkeypatch.setattr(state_dict.loading, "load", lambda *_: loaded)
    path = tmp_path / "unet.safetensors"
    export_weights(tmp_path, path, form=TorchForm("unet."))
    # The list has the prefix of the published module, and no embedding of the prompt.
    assert _shapes(path) == published_keys["latent/outer_attention"]
    prompt = safetensors.numpy.load_file(tmp_path / "unet_prompt.safetensors")
    np.testing.assert_array_equal(prompt["prompt_embedding"], case.state_dict["prompt_embedding"])
    with pytest.raises(OutputError, match="unet_prompt.safetensors exists already"):
        export_weights(tmp_path, path)
    export_weights(tmp_path, path, overwrite=True)
    assert {f"unet.{name}" for name in _shapes(path)} == set(
        published_keys["latent/outer_attention"]
    )
    with pytest.raises(ValueError, match="--use_new_attention_order is a setting of pixel U-Nets"):
        export_weights(tmp_path, path, form=TorchForm("", True), overwrite=True)


def test_a_second_clock_is_not_exported(digits, tmp_path):
    case, experiment = digits
    path = _save(tmp_path / "a.safetensors", case.state_dict)
    import_weights(experiment.changed({"train.clock": "mixed"}), path, tmp_path / "two")
    with pytest.raises(ValueError, match="clock for each component, which has no form in PyTorch"):
        export_weights(tmp_path / "two", tmp_path / "b.safetensors")


def test_export_to_where_nothing_can_be_written(digits, tmp_path):
    case, experiment = digits
    import_weights(experiment, _save(tmp_path / "a.safetensors", case.state_dict), tmp_path / "run")
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsFileError, match="could not be written .* another --output"):
        export_weights(tmp_path / "run", tmp_path / "file" / "b.safetensors")


def test_a_folder_without_a_run_is_an_error(tmp_path):
    with pytest.raises(CheckpointError, match="holds no checkpoints"):
        export_weights(tmp_path, tmp_path / "b.safetensors")
    assert not (tmp_path / "b.safetensors").exists()
