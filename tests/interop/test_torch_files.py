import io
import pathlib
import pickle
import zipfile

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

from symmflow_jax.interop.torch_files import WeightsFileError, read_tensors

pytestmark = pytest.mark.slow

FILES = pathlib.Path(__file__).parents[1] / "fixtures" / "torch_files"
FORMATS = ["present", "older"]


@pytest.mark.parametrize("name", FORMATS)
def test_every_kind_of_tensor_is_read(name):
    tensors = read_tensors(FILES / f"{name}.pt", ("model",))
    table = np.arange(24, dtype=np.float32).reshape(4, 6)
    expected = {
        "whole": table,
        "transposed": table.T,
        "inner": table[1:3, 2:6:2],
        "scalar": np.float32(7),
        "empty": np.zeros((0, 3), np.float32),
        "parameter": np.arange(3, dtype=np.float32),
        "repeated": np.array([[0, 0, 0], [1, 1, 1]], np.float32),
        "bool": np.array([True, False, True]),
        "complex64": np.array([1 + 2j, 3 - 4j], np.complex64),
        "bfloat16": np.arange(5).astype(ml_dtypes.bfloat16),
    }
    for dtype in ("float64", "float16", "int64", "int32", "int16", "int8", "uint8"):
        expected[dtype] = np.arange(5).astype(dtype)
    assert tensors.keys() == expected.keys()
    for key, array in expected.items():
        np.testing.assert_array_equal(tensors[key], array, err_msg=key, strict=True)
        assert not tensors[key].flags.writeable or not tensors[key].size


@pytest.mark.parametrize("name", FORMATS)
def test_a_state_dict_of_a_module_at_the_top_and_deeper(name):
    flat = read_tensors(FILES / f"{name}_flat.pt")
    nested = read_tensors(str(FILES / f"{name}.pt"), ("ema", "online"))
    for tensors in (flat, nested):
        assert list(tensors) == ["weight", "bias"]
        np.testing.assert_array_equal(tensors["weight"], np.array([[1, 2]], np.float32))
        np.testing.assert_array_equal(tensors["bias"], np.array([3], np.float32))


@pytest.mark.parametrize("name", FORMATS)
def test_what_a_nested_checkpoint_holds_is_listed(name):
    path = FILES / f"{name}.pt"
    with pytest.raises(WeightsFileError, match="no tensors at its top.*'model', 'ema', 'epoch'"):
        read_tensors(path)
    with pytest.raises(WeightsFileError, match=f"{name}.pt has no 'emma' at its top.*'ema'"):
        read_tensors(path, ("emma",))
    with pytest.raises(WeightsFileError, match="no 'weights' at ema.*the keys 'online'"):
        read_tensors(path, ("ema", "weights"))
    with pytest.raises(WeightsFileError, match="no tensors at epoch, but a value of type int"):
        read_tensors(path, ("epoch",))


def test_a_pickled_module_is_refused_by_the_name_of_its_class():
    with pytest.raises(WeightsFileError, match=r"module.pt holds torch.nn.*Linear.*state_dict"):
        read_tensors(FILES / "module.pt")


class _Attack:
    def __reduce__(self):
        return pathlib.Path.touch, (pathlib.Path("attacked"),)


def test_a_pickle_that_would_run_a_program_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("attack.pt", "w") as archive:
        archive.writestr("attack/data.pkl", pickle.dumps({"weight": _Attack()}))
    pathlib.Path("attack.pth").write_bytes(pickle.dumps(_Attack()))
    for name in ("attack.pt", "attack.pth"):
        with pytest.raises(WeightsFileError, match=f"{name} holds .*, so it is not opened"):
            read_tensors(name)
    assert not pathlib.Path("attacked").exists()


def test_files_of_other_kinds_are_refused(tmp_path):
    with pytest.raises(WeightsFileError, match="There is no file of weights .*absent.pt"):
        read_tensors(tmp_path / "absent.pt")
    contents = {
        "picture.pt": (b"\x89PNG\r\n", "picture.pt is no file of torch.save"),
        "empty.pt": (b"", "empty.pt is no file of torch.save"),
        "list.pt": (pickle.dumps([1, 2]), "list.pt is a pickle, but not of torch.save"),
        "wrong.safetensors": (b"\0" * 20, "wrong.safetensors is damaged"),
    }
    archive = io.BytesIO()
    np.savez(archive, weight=np.zeros(2))
    contents["arrays.pt"] = (archive.getvalue(), "arrays.pt is a zip archive, but not of torch")
    for name, (content, message) in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(WeightsFileError, match=message):
            read_tensors(tmp_path / name)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_cut_short_anywhere_is_refused(name, tmp_path):
    content = (FILES / f"{name}_flat.pt").read_bytes()
    path = tmp_path / "cut.pt"
    for size in range(0, len(content) - 1, 7):
        path.write_bytes(content[:size])
        with pytest.raises(WeightsFileError, match="cut.pt"):
            read_tensors(path)


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_bytes_never_end_in_another_error(name, tmp_path):
    content = np.fromfile(FILES / f"{name}_flat.pt", np.uint8)
    path = tmp_path / "damaged.pt"
    generator = np.random.default_rng(0)
    for _ in range(500):
        damaged = content.copy()
        places = generator.integers(len(damaged), size=3)
        damaged[places] = generator.integers(256, size=3)
        path.write_bytes(damaged.tobytes())
        try:
            read_tensors(path)
        except WeightsFileError as error:
            assert "damaged.pt" in str(error)


def test_safetensors_are_read_with_bfloat16(tmp_path):
    tensors = {
        "layer.weight": np.arange(6, dtype=np.float32).reshape(2, 3).astype(ml_dtypes.bfloat16),
        "layer.bias": np.arange(2, dtype=np.float16),
    }
    path = tmp_path / "weights.safetensors"
    safetensors.numpy.save_file(tensors, path)
    read = read_tensors(path)
    assert read.keys() == tensors.keys()
    for key, array in tensors.items():
        np.testing.assert_array_equal(read[key], array, strict=True)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(WeightsFileError, match="weights.safetensors is damaged"):
        read_tensors(path)
