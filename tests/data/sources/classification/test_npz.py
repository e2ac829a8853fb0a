"""Archives in the layout of MedMNIST."""

import pickle

import numpy as np
import pytest

from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.classification.npz import Npz


def arrays(channels=(3,), label_shape=(1,), dtype=np.uint8):
    rng = np.random.default_rng(0)
    result = {}
    for split, count in (("train", 9), ("val", 3), ("test", 4)):
        result[f"{split}_images"] = rng.integers(256, size=(count, 28, 28, *channels), dtype="u1")
        labels = np.arange(count) % 9
        result[f"{split}_labels"] = labels.reshape(count, *label_shape).astype(dtype)
    return result


@pytest.mark.parametrize("channels", [(), (1,), (3,)])
@pytest.mark.parametrize("label_shape", [(), (1,)])
@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_layouts_are_read(tmp_path, channels, label_shape, split):
    content = arrays(channels, label_shape)
    np.savez_compressed(tmp_path / "set.npz", **content)
    source = pickle.loads(pickle.dumps(Npz(tmp_path / "set.npz", split)))
    assert len(source) == len(content[f"{split}_images"])
    element = source[2]
    assert element["image"].shape == (28, 28, *(channels or (1,)))
    assert element["image"].dtype == np.uint8
    np.testing.assert_array_equal(
        element["image"].squeeze(), content[f"{split}_images"][2].squeeze()
    )
    assert element["label"].shape == () and element["label"].dtype == np.int32
    assert element["label"] == 2


def test_points_are_read(tmp_path):
    points = np.array([[0.5, -1.25], [1.0, 2.0]])
    np.savez(tmp_path / "set.npz", train_images=points, train_labels=np.array([1, 0]))
    element = Npz(tmp_path / "set.npz", "train")[0]
    assert element["image"].dtype == np.float32 and element["label"] == 1
    np.testing.assert_array_equal(element["image"], [0.5, -1.25])


def test_splits_agree_on_the_classes(tmp_path):
    np.savez(tmp_path / "set.npz", **arrays())
    names = [Npz(tmp_path / "set.npz", s).schemas["label"].names for s in ("train", "val", "test")]
    assert names == [tuple("012345678")] * 3


def test_folder_with_one_archive_stands_for_it(tmp_path):
    np.savez(tmp_path / "set.npz", **arrays())
    (tmp_path / "notes.txt").write_text("nothing")
    assert len(Npz(str(tmp_path), "val")) == 3


def test_folder_with_several_archives_lists_them(tmp_path):
    for name in ("b", "a"):
        np.savez(tmp_path / f"{name}.npz", **arrays())
    with pytest.raises(DataError, match=r"exactly one .npz file, but has a.npz, b.npz"):
        Npz(tmp_path, "train")


def test_folder_without_archive_and_missing_path(tmp_path):
    with pytest.raises(DataError, match="but has none"):
        Npz(tmp_path, "train")
    with pytest.raises(DataError, match=r"gone.npz does not exist.*MedMNIST"):
        Npz(tmp_path / "gone.npz", "train")


def test_missing_split_lists_the_keys(tmp_path):
    np.savez(tmp_path / "set.npz", **arrays())
    with pytest.raises(
        DataError, match="lacks dev_images and dev_labels; it has train_images, train_labels"
    ):
        Npz(tmp_path / "set.npz", "dev")


def test_multi_label_sets_are_refused(tmp_path):
    content = arrays()
    content["train_labels"] = np.zeros((9, 14), np.uint8)
    np.savez(tmp_path / "chest.npz", **content)
    with pytest.raises(DataError, match="train_labels has 14 labels for each image"):
        Npz(tmp_path / "chest.npz", "train")


@pytest.mark.parametrize(
    ("key", "array", "message"),
    [
        ("train_images", np.zeros((9, 28, 28, 28), np.uint8), r"shape \(9, 28, 28, 28\); 8-bit"),
        ("train_images", np.zeros((9, 28, 28), np.float32), "train_images is float32"),
        ("train_images", np.zeros((8, 28, 28), np.uint8), "8 train_images and 9 train_labels"),
        ("train_labels", np.zeros(9, np.float32), "train_labels is float32"),
        ("train_labels", np.full(9, -1), "class numbers"),
        ("train_labels", np.zeros((9, 1, 1), np.uint8), "class numbers"),
    ],
)
def test_arrays_that_are_no_labelled_pictures_are_refused(tmp_path, key, array, message):
    np.savez(tmp_path / "set.npz", **{**arrays(), key: array})
    with pytest.raises(DataError, match=message):
        Npz(tmp_path / "set.npz", "train")


def test_pickled_objects_are_never_loaded(tmp_path):
    content = {**arrays(), "train_labels": np.array([{"harm": 1}] * 9, dtype=object)}
    np.savez(tmp_path / "set.npz", **content)
    with pytest.raises(DataError, match=r"set.npz is no readable archive.*allow_pickle=False"):
        Npz(tmp_path / "set.npz", "train")


@pytest.mark.parametrize("length", [0, 10, 1000, -200, -5])
def test_truncated_archives_are_named(tmp_path, length):
    np.savez_compressed(tmp_path / "set.npz", **arrays())
    content = (tmp_path / "set.npz").read_bytes()
    (tmp_path / "set.npz").write_bytes(content[:length])
    with pytest.raises(DataError, match="set.npz is no readable archive"):
        Npz(tmp_path / "set.npz", "train")


def test_damaged_archives_and_single_arrays_are_named(tmp_path):
    np.savez_compressed(tmp_path / "set.npz", **arrays())
    content = bytearray((tmp_path / "set.npz").read_bytes())
    content[2000] ^= 0xFF
    (tmp_path / "set.npz").write_bytes(bytes(content))
    with pytest.raises(DataError, match="set.npz is no readable archive"):
        Npz(tmp_path / "set.npz", "train")
    with open(tmp_path / "array.npz", "wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DataError, match="array.npz is no readable archive"):
        Npz(tmp_path / "array.npz", "train")
