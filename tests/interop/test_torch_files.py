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
    with pytest.raises(
        WeightsFileError, match=r"module.pt has no tensors.*class torch.nn.*Linear. .*state_dict"
    ):
        read_tensors(FILES / "module.pt")


class _Attack:
    def __reduce__(self):
        return pathlib.Path.touch, (pathlib.Path("attacked"),)


def test_a_pickle_that_would_run_a_program_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("attack.pt", "w") as archive:
        archive.writestr("attack/data.pkl", pickle.dumps({"weight": _Attack()}))
    pathlib.Path("attack.pth").write_bytes(pickle.dumps(_Attack()))
    for name, message in (
        (
            "attack.pt",  # Python 3.13 calls it pathlib._local.Path.
            r"attack.pt has no tensors at its top, but the keys 'weight' .a pathlib"
            r"\.(_local\.)?Path",
        ),
        ("attack.pth", "attack.pth is a pickle, but not of torch.save"),
    ):
        with pytest.raises(WeightsFileError, match=message):
            read_tensors(name)
    assert not pathlib.Path("attacked").exists()


def test_tensors_are_read_beside_objects_of_any_class(torch_pickles, tmp_path, caplog):
    t = torch_pickles
    weight = np.arange(6, dtype=np.float32).reshape(2, 3)
    scalar = t.named("numpy.core.multiarray", "scalar")
    dtype = t.instance(t.call(t.named("numpy", "dtype"), "f8", False, True), (3, "<", None))
    content = {
        "model": {"weight": weight},
        "args": t.instance(t.named("argparse", "Namespace"), {"lr": 0.1, "device": "cuda"}),
        "best": t.call(scalar, dtype, b"12345678"),
        "optimizer": t.named("torch.optim.adamw", "AdamW"),
        "dtype": t.named("torch", "float32"),
        "device": t.call(t.named("torch", "device"), "cuda", 0),
        "folder": t.call(t.named("pathlib", "PosixPath"), "runs", "a"),
        "when": t.call(t.named("datetime", "datetime"), b"\x07\xe8\x01\x01\0\0\0\0\0\0"),
        "phase": t.call(t.named("trainer.enums", "Phase"), 2),
    }
    path = t.save(tmp_path / "run.pt", content)
    with caplog.at_level("INFO", "symmflow_jax"):
        tensors = read_tensors(path, ("model",))
    assert list(tensors) == ["weight"]
    np.testing.assert_array_equal(tensors["weight"], weight, strict=True)
    (message,) = caplog.messages
    assert "run.pt: passed over what is no tensor, and ran nothing of it: argparse.Name" in message
    assert "torch.optim.adamw.AdamW" in message and "trainer.enums.Phase" in message
    assert "float32" not in message and "device" not in message


def test_the_content_of_unknown_dictionaries_is_found(torch_pickles, tmp_path):
    t = torch_pickles
    weight = np.ones(2, np.float32)
    saved = t.save(tmp_path / "inner.pt", {"model": {"weight": weight}})
    with zipfile.ZipFile(saved) as archive:
        inner = archive.read("inner/data.pkl")[2:-1]
    # The entries of a dictionary follow the object of a class of its own.
    own = t.Code(t.named("easydict", "EasyDict") + b")\x81" + inner[1:])
    with zipfile.ZipFile(tmp_path / "run.pt", "w") as archive:
        archive.writestr("run/data.pkl", b"\x80\x02" + own + b".")
        archive.writestr("run/data/0", weight.tobytes())
    np.testing.assert_array_equal(read_tensors(tmp_path / "run.pt", ("model",))["weight"], weight)


def test_an_archive_that_unpacks_to_more_than_the_file_is_refused(torch_pickles, tmp_path):
    path = torch_pickles.save(tmp_path / "plain.pt", {"weight": np.zeros(100_000, np.float32)})
    bomb = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path) as plain, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    with pytest.raises(WeightsFileError, match="bomb.pt is damaged.*larger than the file"):
        read_tensors(bomb)


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


@pytest.mark.parametrize("name", ["w.pt", "w.safetensors"])
def test_what_a_download_leaves_in_the_place_of_weights_is_named(tmp_path, name):
    path = tmp_path / name
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 9\n")
    with pytest.raises(WeightsFileError, match="is a pointer of Git LFS and not .*`git lfs pull`"):
        read_tensors(path)
    path.write_text("<!DOCTYPE html><html></html>")
    with pytest.raises(WeightsFileError, match="is a web page and not the file"):
        read_tensors(path)
    path.rename(f"{path}.incomplete")
    with pytest.raises(WeightsFileError, match=f"download has not finished: {name}.incomplete is"):
        read_tensors(path)
