import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy

from symmflow_jax.interop.convert_metric_weights import convert
from symmflow_jax.interop.names.lpips import params_from_state_dict
from symmflow_jax.interop.torch_files import read_tensors
from symmflow_jax.interop.weights_hash import hash_of
from symmflow_jax.metrics import lpips
from symmflow_jax.runtime.outputs import OutputError
from symmflow_jax.runtime.storage.place import as_path

FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures"


@pytest.fixture
def published(tmp_path):
    """Files like the published ones: convolutions with a classifier, and heads."""
    shapes = json.loads(str(np.load(FIXTURES / "lpips.npz")["shapes"]))
    arrays = {name: np.ones(shape, np.float16) for name, shape in shapes.items()}
    heads = {name: array for name, array in arrays.items() if name.startswith("lin")}
    backbone = {name: array for name, array in arrays.items() if name not in heads}
    backbone["classifier.1.weight"] = np.zeros((2, 2), np.float16)
    safetensors.numpy.save_file(backbone, tmp_path / "alexnet.safetensors")
    safetensors.numpy.save_file(heads, tmp_path / "alex.safetensors")
    return arrays, [tmp_path / "alexnet.safetensors", tmp_path / "alex.safetensors"]


def test_several_files_become_one_without_the_classifier(published, tmp_path):
    arrays, inputs = published
    output = tmp_path / "converted" / "lpips.safetensors"
    convert("lpips", inputs, output)
    converted = read_tensors(output)
    assert converted.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(converted[name], array, strict=True)
    # The same weights, whatever file they come in.
    assert lpips.lpips(output).weights_hash == hash_of(params_from_state_dict(arrays))


@pytest.mark.parametrize(
    ("network", "count", "message"),
    [
        ("lpips", 1, "missing: lin0.model.1.weight"),
        ("inception", 2, "missing: Conv2d_1a_3x3.* and 440 more; surplus: .*features.0.weight"),
        ("lpips", 0, "Give --input"),
    ],
)
def test_weights_of_another_network_are_not_converted(published, tmp_path, network, count, message):
    output = tmp_path / "output.safetensors"
    with pytest.raises(ValueError, match=message):
        convert(network, published[1][:count], output)
    assert not output.exists()


def test_what_exists_is_kept_and_inputs_always(published, tmp_path):
    inputs = published[1]
    output = tmp_path / "output.safetensors"
    output.touch()
    with pytest.raises(OutputError, match=r"output\.safetensors exists already"):
        convert("lpips", inputs, output)
    convert("lpips", inputs, output, overwrite=True)
    assert output.stat().st_size
    with pytest.raises(OutputError, match=r"alex\.safetensors is an input of this command"):
        convert("lpips", inputs, inputs[1], overwrite=True)


def test_the_command_ends_bad_input_in_one_line(tmp_path):
    command = [sys.executable, "-m", "symmflow_jax.interop.convert_metric_weights"]
    arguments = ["--network=inception", "--input=absent.pth", "--output=x.safetensors"]
    result = subprocess.run(command + arguments, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.splitlines() == ["Error: There is no file of weights absent.pth."]
    with pytest.raises(ValueError, match="ends in .safetensors"):
        convert("lpips", ["alex.pth"], tmp_path / "lpips.npz")


def test_weights_may_be_written_to_a_bucket(published, bucket, tmp_path):
    _, inputs = published
    convert("lpips", inputs, f"{bucket}/lpips.safetensors")
    convert("lpips", inputs, tmp_path / "lpips.safetensors")
    written = as_path(bucket) / "lpips.safetensors"
    assert written.read_bytes() == (tmp_path / "lpips.safetensors").read_bytes()


def test_weights_that_are_not_finite_are_not_converted(published, tmp_path):
    arrays, inputs = published
    heads = {name: array for name, array in arrays.items() if name.startswith("lin")}
    heads["lin0.model.1.weight"] = np.full_like(heads["lin0.model.1.weight"], np.nan)
    safetensors.numpy.save_file(heads, inputs[1])
    with pytest.raises(ValueError, match="alex.safetensors: 1 of .*lin0.model.1.weight .64 NaN"):
        convert("lpips", inputs, tmp_path / "lpips.safetensors")
    assert not (tmp_path / "lpips.safetensors").exists()


def test_weights_are_converted_from_a_key(published, torch_pickles, tmp_path):
    arrays, _ = published
    given = {name: array.astype(np.float32) for name, array in arrays.items()}
    path = torch_pickles.save(tmp_path / "run.pt", {"net": given, "old": dict(given)})
    with pytest.raises(ValueError, match="holds tensors at net, old; choose one"):
        convert("lpips", [path], tmp_path / "lpips.safetensors")
    convert("lpips", [path], tmp_path / "lpips.safetensors", "net")
    assert read_tensors(tmp_path / "lpips.safetensors").keys() == arrays.keys()
