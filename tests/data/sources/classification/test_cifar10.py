"""CIFAR-10 in both published forms, and files that are something else."""

import os
import pickle
import subprocess
import sys
import tarfile

import numpy as np
import pytest

from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.classification.cifar10 import Cifar10

NUM = 4


def pictures(seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (NUM, 3, 32, 32), np.uint8), rng.integers(0, 10, NUM)


def batches():
    return [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


@pytest.fixture
def python_version(tmp_path):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for seed, name in enumerate(batches()):
        pixels, classes = pictures(seed)
        content = {b"data": pixels.reshape(NUM, -1), b"labels": classes.tolist()}
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
    return tmp_path


@pytest.fixture
def binary_version(tmp_path):
    for seed, name in enumerate(batches()):
        pixels, classes = pictures(seed)
        records = np.concatenate([classes[:, None].astype(np.uint8), pixels.reshape(NUM, -1)], 1)
        (tmp_path / f"{name}.bin").write_bytes(records.tobytes())
    return tmp_path


@pytest.mark.parametrize("version", ["python_version", "binary_version"])
def test_every_pixel_is_that_of_the_files(request, version):
    root = request.getfixturevalue(version)
    train, test = Cifar10(root, "train"), Cifar10(root, "test")
    assert (len(train), len(test)) == (5 * NUM, NUM)
    for source, index, seed in ((train, NUM + 2, 1), (test, 2, 5)):
        pixels, classes = pictures(seed)
        element = source[index]
        np.testing.assert_array_equal(element["image"], pixels[2].transpose(1, 2, 0))
        assert element["label"] == classes[2] and element["label"].dtype == np.int32
    assert train.schemas["label"].names[3] == "cat"


def test_a_pickle_that_would_run_something_is_not_opened(python_version, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    path = python_version / "cifar-10-batches-py" / "test_batch"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(DataError, match=r"test_batch asks for posix\.mkdir.*not opened"):
        Cifar10(python_version, "test")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("version", ["python_version", "binary_version"])
def test_a_truncated_batch_is_named(request, version):
    root = request.getfixturevalue(version)
    (path,) = root.rglob("test_batch*")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="test_batch.* is damaged or no CIFAR-10 batch"):
        Cifar10(root, "test")


def test_missing_batches_say_how_to_get_them(tmp_path):
    with pytest.raises(DataError, match=r"has no data_batch_1 .*cifar-10-python\.tar\.gz"):
        Cifar10(tmp_path, "train")


@pytest.mark.parametrize("given", ["file", "folder"])
def test_the_archive_itself_comes_with_the_line_that_unpacks_it(python_version, tmp_path, given):
    root = tmp_path / "with spaces"
    root.mkdir()
    archive = root / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(python_version / "cifar-10-batches-py", "cifar-10-batches-py")
    with pytest.raises(DataError, match="python.tar.gz is a file, not a folder") as error:
        Cifar10(archive if given == "file" else root, "train")
    command = str(error.value).partition("unpack it: python")[2]
    subprocess.run(f"'{sys.executable}' {command}", shell=True, check=True)
    assert len(Cifar10(root, "train")) == 5 * NUM


@pytest.mark.parametrize("labels", [None, 3, ["cat"] * NUM, [[1]] * NUM, [0.5] * NUM])
def test_labels_that_are_no_class_numbers_are_damage(python_version, labels):
    batch = {b"data": pictures(0)[0].reshape(NUM, -1), b"labels": labels}
    (python_version / "data_batch_1").write_bytes(pickle.dumps(batch))
    with pytest.raises(DataError, match="data_batch_1 is damaged"):
        Cifar10(python_version, "train")
