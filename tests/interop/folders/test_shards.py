"""Weights in several files, and folders in which the files do not belong together."""

import json

import numpy as np
import pytest
import safetensors.numpy

from symmflow_jax.interop.folders.shards import read_shards
from symmflow_jax.interop.torch_files import WeightsFileError

STEM = "diffusion_pytorch_model"
FIRST, SECOND = (f"{STEM}-0000{number}-of-00002" for number in (1, 2))


def _arrays(*names: str, dtype=np.float32) -> dict[str, np.ndarray]:
    return {name: np.full((2,), index, dtype) for index, name in enumerate(names)}


@pytest.fixture(params=["safetensors", "bin"])
def ending(request) -> str:
    return request.param


@pytest.fixture
def save(torch_pickles, tmp_path, ending):
    """A function that writes one shard, by its name without the ending."""

    def write(name: str, arrays: dict[str, np.ndarray]) -> None:
        path = tmp_path / f"{name}.{ending}"
        if ending == "bin":
            torch_pickles.save(path, arrays)
        else:
            safetensors.numpy.save_file(arrays, path)

    return write


@pytest.fixture
def folder(save, tmp_path, ending):
    """The index of a folder of two shards with the tensors a, b and c."""
    save(FIRST, _arrays("a", "b"))
    save(SECOND, _arrays("c"))
    return _index(tmp_path, ending, {"a": FIRST, "b": FIRST, "c": SECOND})


def _index(folder, ending: str, homes: dict[str, str]):
    index = folder / f"{STEM}.{ending}.index.json"
    homes = {name: f"{home}.{ending}" for name, home in homes.items()}
    index.write_text(json.dumps({"metadata": {"total_size": 24}, "weight_map": homes}))
    return index


def test_shards_are_put_together(folder):
    tensors = read_shards(folder)
    assert list(tensors) == ["a", "b", "c"]
    np.testing.assert_array_equal(tensors["b"], [1, 1])


def test_links_may_lead_out_of_the_folder(folder, tmp_path, ending):
    """The cache of the hub holds links to files under their hashes."""
    (tmp_path / "blobs").mkdir()
    shard = tmp_path / f"{FIRST}.{ending}"
    shard.rename(tmp_path / "blobs" / "hash")
    shard.symlink_to(tmp_path / "blobs" / "hash")
    assert len(read_shards(folder)) == 3


def test_missing_shards_are_named(folder, tmp_path, ending):
    (tmp_path / f"{SECOND}.{ending}").unlink()
    with pytest.raises(WeightsFileError) as error:
        read_shards(folder)
    assert str(error.value) == (
        f"{folder} names 2 files, of which 1 is missing: {SECOND}.{ending}. The download may have "
        "stopped; fetch the folder again."
    )


def test_an_index_of_other_arrays_is_refused(folder, tmp_path, ending):
    homes = {"a": FIRST, "z": FIRST, "c": SECOND}
    with pytest.raises(WeightsFileError) as error:
        read_shards(_index(tmp_path, ending, homes))
    assert str(error.value) == (
        f"{tmp_path}/{FIRST}.{ending} holds other tensors than {STEM}.{ending}.index.json says, "
        "without 1 such as z and with surplus 1 such as b: the files are not of one training. "
        "Fetch the folder again."
    )


def test_shards_of_two_trainings_are_refused(folder, save, tmp_path, ending):
    save(SECOND, _arrays("b", "c"))  # Of a training that was cut at another tensor.
    with pytest.raises(WeightsFileError, match="surplus 1 such as b: the files are not of one"):
        read_shards(folder)
    save(SECOND, _arrays("c", dtype=np.float64))
    with pytest.raises(WeightsFileError, match="of float32 and .* of float64: shards of two train"):
        read_shards(folder)
    third = f"{STEM}-00003-of-00003"
    save(third, _arrays("c"))
    homes = {"a": FIRST, "b": FIRST, "c": third}
    with pytest.raises(WeightsFileError, match="of another number of shards: .* two trainings"):
        read_shards(_index(tmp_path, ending, homes))
    with pytest.raises(WeightsFileError, match="of another number of shards"):
        read_shards(_index(tmp_path, ending, {"a": FIRST, "b": FIRST}))


def test_half_a_download_is_named(folder, tmp_path, ending):
    shard = tmp_path / f"{FIRST}.{ending}"
    shard.write_bytes(shard.read_bytes()[:-10])
    with pytest.raises(WeightsFileError, match=f"{FIRST}.{ending} is damaged, cut short"):
        read_shards(folder)


@pytest.mark.parametrize("name", ["../out", "/etc/out", "sub/out", "..\\out", "a\0b"])
def test_files_outside_of_the_folder_are_refused(folder, save, tmp_path, ending, name):
    index = _index(tmp_path, ending, {"a": name, "c": SECOND})
    with pytest.raises(WeightsFileError, match="which is not a name in its folder; fetch the ind"):
        read_shards(index)


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {}}', '{"weight_map": {"a": 3}}']
)
def test_damaged_index_is_named(tmp_path, text):
    index = tmp_path / f"{STEM}.bin.index.json"
    index.write_text(text)
    with pytest.raises(WeightsFileError, match=r"index\.json is damaged .*; fetch it again"):
        read_shards(index)


def test_missing_index_is_named(tmp_path):
    with pytest.raises(WeightsFileError, match=r"no index of weights .*gone\.index\.json"):
        read_shards(tmp_path / "gone.index.json")
