"""Archives in the layout of MedMNIST, and others with the line that converts them."""

import io
import os
import pickle
import shlex
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

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


def test_classes_are_those_that_occur_in_the_split(tmp_path):
    np.savez(tmp_path / "set.npz", **arrays())
    names = {s: Npz(tmp_path / "set.npz", s).schemas["label"].names for s in ("train", "val")}
    assert names == {"train": tuple("012345678"), "val": tuple("012")}


def test_folder_with_one_archive_stands_for_it(tmp_path):
    np.savez(tmp_path / "set.npz", **arrays())
    for name in ("notes.txt", "._set.npz", ".DS_Store"):
        (tmp_path / name).write_text("nothing")
    assert len(Npz(str(tmp_path), "val")) == 3


def test_suffixes_may_be_in_upper_case(tmp_path):
    np.savez(tmp_path / "set.npz", **arrays())
    (tmp_path / "set.npz").rename(tmp_path / "SET.NPZ")
    assert len(Npz(tmp_path, "val")) == 3


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


def convert(path, split="train", shell=False):
    """Runs the line that the refusal of an archive ends with; returns the flags that go with it."""
    with pytest.raises(DataError) as error:
        Npz(path, split)
    message = str(error.value)
    assert "\n" not in message
    start, _, command = message.partition("(the line to run follows): python ")
    assert command, message
    if shell:
        subprocess.run(f"{shlex.quote(sys.executable)} {command}", shell=True, check=True)
    else:
        (flag, code) = shlex.split(command)
        assert flag == "-c"
        exec(code, {})
    words = [word for word in shlex.split(start[start.rindex("then use") :]) if "=" in word]
    flags = dict(word.removeprefix("--config.data.").split("=", 1) for word in words)
    return flags, message


def gradient(count, side=4):
    """8-bit images with the levels 0 and 255."""
    images = np.arange(count * side * side * 3, dtype=np.float64).reshape(count, side, side, 3)
    return np.rint(images / images.max() * 255).astype(np.uint8)


GREY = gradient(6)[..., 0]
LABELS = np.array([2, 0, 1, 2, 1, 0])
NAMES_FLAG = "the names of 3 classes (--config.data.class_names=\"('cat', 'dog', 'eel')\")"
NAMES = np.array(["eel", "cat", "dog", "eel", "dog", "cat"])


@pytest.mark.parametrize(
    ("images", "labels", "expected", "words"),
    [
        (GREY, LABELS.astype(np.float32), GREY, "train_labels is float32"),
        (GREY, LABELS[:, None].astype(np.float64), GREY, "train_labels is float64"),
        (GREY, np.eye(3)[LABELS], GREY, "3 labels for each image, one-hot"),
        (GREY, np.eye(3, dtype=np.uint8)[LABELS], GREY, "3 labels for each image, one-hot"),
        (GREY, np.eye(3)[LABELS] * 0.7 + 0.1, GREY, "the probability of each class"),
        (GREY, NAMES, GREY, NAMES_FLAG),
        (GREY, NAMES.astype("S"), GREY, NAMES_FLAG),
        (GREY, LABELS * 70_000 - 5, GREY, "with labels from -5 to 139995"),
        (GREY / 255, LABELS, GREY, "with values from "),
        ((GREY / 255).astype(np.float16), LABELS, GREY, "train_images is float16"),
        (GREY / 127.5 - 1, LABELS, GREY, "with values from -1 to "),
        (GREY.astype(np.float32), LABELS, GREY, "train_images is float32"),
        (GREY.astype(np.int64), LABELS, GREY, "train_images is int64"),
        (GREY.astype(np.uint16) * 257, LABELS, GREY, "train_images is uint16"),
        (GREY > 127, LABELS, np.where(GREY > 127, 255, 0), "train_images is bool"),
        (np.moveaxis(gradient(6, 5), -1, 1), LABELS, gradient(6, 5), "with the channels first"),
        (
            np.moveaxis(gradient(6, 5), -1, 1) / 255,
            np.eye(3)[LABELS],
            gradient(6, 5),
            "with the channels first",
        ),
        (gradient(6, 5)[..., [0, 1, 2, 0]], LABELS, gradient(6, 5), "a channel of transparency"),
        (GREY.reshape(6, 16), LABELS, GREY, "images as rows"),
    ],
)
def test_the_line_converts_the_archive(tmp_path, images, labels, expected, words):
    path = tmp_path / "o'set 1.npz"
    content = {"train_images": images, "train_labels": labels}
    np.savez(path, **content, test_images=images[:4], test_labels=labels[:4])
    flags, message = convert(path)
    assert words in message
    assert flags["source"] == "npz" and flags["name"] == ""
    for split, count in (("train", 6), ("test", 4)):
        source = Npz(tmp_path / "o'set 1_converted.npz", split)
        assert source.notes == () and len(source) == count
        read = np.stack([source[i]["image"] for i in range(count)]).squeeze()
        np.testing.assert_allclose(read, expected[:count], atol=1)
        assert [int(source[i]["label"]) for i in range(count)] == LABELS[:count].tolist()


def test_the_line_can_be_pasted_into_a_shell(tmp_path):
    path = tmp_path / 'o\'set "1".npz'
    np.savez(path, train_images=GREY / 255, train_labels=NAMES)
    flags, _ = convert(path, shell=True)
    assert len(Npz(path.with_name('o\'set "1"_converted.npz'), "train")) == 6


def test_the_line_overwrites_nothing(tmp_path):
    np.savez(tmp_path / "set.npz", train_images=GREY / 255, train_labels=LABELS)
    (tmp_path / "set_converted.npz").write_bytes(b"something of mine")
    flags, _ = convert(tmp_path / "set.npz")
    assert flags["dir"] == str(tmp_path / "set_converted_2.npz")
    assert (tmp_path / "set_converted.npz").read_bytes() == b"something of mine"


@pytest.mark.parametrize("channel", [(), (1,)])
@pytest.mark.parametrize("highest", [2, 300])
def test_masks_are_written_as_files(tmp_path, channel, highest):
    masks = np.arange(6 * 16).reshape(6, 4, 4, *channel) % (highest + 1)
    masks.flat[-1] = highest
    np.savez(tmp_path / "set.npz", train_images=GREY, train_masks=masks.astype(np.float32),
             test_images=GREY, test_masks=masks)  # fmt: skip
    flags, message = convert(tmp_path / "set.npz")
    assert "a mask for each image" in message
    folder = tmp_path / "set_folders"
    assert flags == {
        "source": "paired_folder",
        "dir": str(folder),
        "eval_images": "test/images",
        "eval_masks": "test/masks",
    }
    for split in ("train", "test"):
        for kind, arrays in (("images", GREY), ("masks", masks)):
            files = sorted((folder / split / kind).iterdir())
            read = np.stack([np.asarray(Image.open(file)) for file in files])
            np.testing.assert_array_equal(read, arrays.reshape(6, 4, 4))


@pytest.mark.parametrize(
    "keys",
    [("x_{}", "y_{}"), ("X_{}", "y_{}"), ("{}_x", "{}_y"), ("{}_image", "{}_label"),
     ("images_{}", "labels_{}")],
)  # fmt: skip
def test_names_of_keras_and_others_are_read_with_a_note(tmp_path, keys):
    content = {}
    for split, count in (("train", 6), ("test", 4)):
        content |= {keys[0].format(split): GREY[:count], keys[1].format(split): LABELS[:count]}
    np.savez(tmp_path / "mnist.npz", **content)
    source = Npz(tmp_path / "mnist.npz", "test")
    assert len(source) == 4 and source[0]["label"] == 2
    names = [key.format("test") for key in keys]
    assert source.notes == (
        f"{tmp_path}/mnist.npz: {names[0]} and {names[1]} are read as test_images and test_labels.",
    )


def test_two_candidates_for_a_key_are_named(tmp_path):
    np.savez(tmp_path / "set.npz", x_train=GREY, images_train=GREY, y_train=LABELS)
    with pytest.raises(
        DataError, match="has x_train and images_train, which may all be the images"
    ):
        Npz(tmp_path / "set.npz", "train")


def test_splits_of_other_names_are_named(tmp_path):
    np.savez(tmp_path / "set.npz", x_train=GREY, y_train=LABELS, x_valid=GREY, y_valid=LABELS)
    with pytest.raises(DataError, match="Its splits are train, valid: name them in --config"):
        Npz(tmp_path / "set.npz", "test")


@pytest.mark.parametrize("keys", [("images", "labels"), ("data", "target"), ("arr_1", "arr_0")])
def test_an_archive_without_splits_gets_some(tmp_path, keys):
    images, labels = np.repeat(GREY, 5, 0) / 255, np.repeat(NAMES, 5)
    np.savez(tmp_path / "set.npz", **dict(zip(keys, (images, labels), strict=True)))
    flags, message = convert(tmp_path / "set.npz")
    assert "draw a tenth of its 30 examples for 'test'" in message
    sources = [Npz(flags["dir"], split) for split in ("train", "test")]
    assert [len(source) for source in sources] == [27, 3]
    for source in sources:
        for element in (source[i] for i in range(len(source))):
            (number,) = {n for n in range(6) if np.array_equal(GREY[n], element["image"][..., 0])}
            assert element["label"] == LABELS[number]


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (GREY, LABELS[:3], "no such split, and 6 images and 3 labels."),
        (np.asarray(3), LABELS, "no such split, and images is int64 of shape ()"),
        (
            GREY,
            np.ones((6, 2)),
            "no such split, and labels has 2 labels for each image; a multi-label",
        ),
    ],
)
def test_an_archive_without_splits_may_have_other_faults(tmp_path, images, labels, words):
    np.savez(tmp_path / "set.npz", images=images, labels=labels)
    with pytest.raises(DataError) as error:
        Npz(tmp_path / "set.npz", "train")
    assert words in str(error.value)


def test_a_training_split_alone_gives_a_tenth_of_it(tmp_path):
    np.savez(tmp_path / "set.npz", train_images=GREY, train_labels=LABELS)
    flags, _ = convert(tmp_path / "set.npz", "val")
    assert [len(Npz(flags["dir"], split)) for split in ("train", "val")] == [5, 1]


def test_masks_without_splits_are_converted_in_two_steps(tmp_path):
    np.savez(tmp_path / "set.npz", images=GREY, masks=GREY[..., None] % 3)
    convert(tmp_path / "set.npz")
    flags, _ = convert(tmp_path / "set_converted.npz")
    assert flags["source"] == "paired_folder"
    assert len(list((tmp_path / "set_converted_folders/train/masks").iterdir())) == 5


@pytest.mark.parametrize("is_one_pickle", [False, True])
def test_pickled_arrays_are_converted_if_their_author_is_trusted(tmp_path, is_one_pickle):
    content = {"train_images": GREY, "train_labels": LABELS}
    if is_one_pickle:
        (tmp_path / "set.npz").write_bytes(pickle.dumps(content))
    else:
        objects = np.empty(6, object)
        objects[:] = list(GREY)
        np.savez(tmp_path / "set.npz", **content | {"train_images": objects})
    flags, message = convert(tmp_path / "set.npz")
    assert "If you trust their author" in message
    np.testing.assert_array_equal(Npz(flags["dir"], "train")[3]["image"][..., 0], GREY[3])


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (GREY / 100 - 1.2, LABELS, "better save the 8-bit pixels"),
        (np.where(GREY > 9, np.nan, 0), LABELS, "with values that are not finite"),
        (np.full((6, 4), np.inf), LABELS, "points with values that are not finite"),
        (np.full((6, 0, 4), 7, np.uint8), LABELS, "shape (6, 0, 4); 8-bit images"),
        (GREY, LABELS + 0.5, "train_labels is float64"),
        (GREY, np.asarray(3), "train_labels is int64 of shape ()"),
        (np.asarray(3), LABELS, "train_images is int64 of shape ()"),
        (np.array(["a"] * 6), LABELS, "train_images is <U1"),
    ],
)
def test_what_has_no_certain_meaning_is_named(tmp_path, images, labels, words):
    np.savez(tmp_path / "set.npz", train_images=images, train_labels=labels)
    with pytest.raises(DataError) as error:
        Npz(tmp_path / "set.npz", "train")
    assert words in str(error.value)


def test_a_member_that_is_no_array_is_not_unpacked(tmp_path):
    path = tmp_path / "set.npz"
    np.savez(path, train_labels=np.arange(2))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train_images", bytes(1000))
    with pytest.raises(DataError, match=r"set.npz is no readable archive .*magic string"):
        Npz(path, "train")


def test_a_header_that_speaks_of_more_than_there_is_is_refused(tmp_path):
    path = tmp_path / "set.npz"
    np.savez(path, train_labels=np.arange(2))
    header = io.BytesIO()
    described = {"descr": "|u1", "fortran_order": False, "shape": (10**12, 8, 8)}
    np.lib.format.write_array_header_1_0(header, described)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("train_images.npy", header.getvalue())
    with pytest.raises(DataError, match=r"train_images should have 64000000000000 bytes"):
        Npz(path, "train")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "blood.npz")
    with pytest.raises(DataError, match=r"blood\.npz is no plain file"):
        Npz(tmp_path, "train")
