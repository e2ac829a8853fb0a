"""Weights of a run with the names that PyTorch programs use."""

import dataclasses
import pathlib

import numpy as np
import pytest
import safetensors.numpy

from symmflow_jax.inference.export.state_dict import export_weights
from symmflow_jax.interop.torch_files import WeightsFileError
from symmflow_jax.preparation.import_weights import import_weights
from symmflow_jax.runtime.errors import CheckpointError

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


def _save(path: pathlib.Path, state_dict, prefix: str = "") -> pathlib.Path:
    safetensors.numpy.save_file({f"{prefix}{k}": v for k, v in state_dict.items()}, path)
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
