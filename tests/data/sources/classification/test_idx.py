"""IDX files: round trips, and one clear message for each kind of damage."""

import gzip
import pickle
import shlex
import struct
import subprocess

import numpy as np
import pytest

from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.classification.idx import Idx, read_idx
from symmflow_jax.data.sources.classification.npz import Npz

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array):
    code = CODES[array.dtype.str[1:]]
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def digits(count, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.integers(256, size=(count, 28, 28), dtype=np.uint8)
    return images, (np.arange(count) % 10).astype(np.uint8)


def write_set(folder, dotted=False, zipped=True, prefix="train", count=20):
    images, labels = digits(count)
    for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
        kind = kind.replace("-idx", ".idx") if dotted else kind
        content = idx_bytes(array)
        path = folder / f"{prefix}-{kind}-ubyte{'.gz' if zipped else ''}"
        path.write_bytes(gzip.compress(content) if zipped else content)
    return images, labels


@pytest.mark.parametrize("dtype", sorted(CODES))
@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 5), (0, 4)])
def test_arrays_survive_the_round_trip(tmp_path, dtype, shape):
    array = np.random.default_rng(0).normal(scale=40, size=shape).astype(dtype)
    (tmp_path / "file").write_bytes(idx_bytes(array))
    read = read_idx(tmp_path / "file")
    np.testing.assert_array_equal(read, array)
    assert read.dtype == np.dtype(dtype) and read.dtype.isnative


def test_compression_is_seen_from_the_content_and_not_from_the_name(tmp_path):
    images, _ = digits(3)
    (tmp_path / "plain.gz").write_bytes(idx_bytes(images))
    (tmp_path / "zipped").write_bytes(gzip.compress(idx_bytes(images)))
    for name in ("plain.gz", "zipped"):
        np.testing.assert_array_equal(read_idx(str(tmp_path / name)), images)


@pytest.mark.parametrize("length", [0, 3, 4, 10, 15, 16, 17, 1000, -1])
@pytest.mark.parametrize("zipped", [False, True])
def test_truncated_files_are_named(tmp_path, length, zipped):
    content = idx_bytes(digits(5)[0])[:length]
    path = tmp_path / "train-images"
    path.write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(DataError, match=r"train-images is damaged: .*Fetch the file again"):
        read_idx(path)


@pytest.mark.parametrize("length", [2, 5, 20, 300, -9, -1])
def test_truncated_gzip_streams_are_named(tmp_path, length):
    path = tmp_path / "labels.gz"
    path.write_bytes(gzip.compress(idx_bytes(digits(500)[0][:2]))[:length])
    with pytest.raises(DataError, match="labels.gz is damaged: its gzip stream cannot be read"):
        read_idx(path)


def test_flipped_gzip_bytes_are_named(tmp_path):
    content = bytearray(gzip.compress(idx_bytes(digits(5)[0])))
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "images.gz").write_bytes(bytes(content))
    with pytest.raises(DataError, match="images.gz is damaged"):
        read_idx(tmp_path / "images.gz")


def test_bytes_behind_the_end_are_damage(tmp_path):
    (tmp_path / "long").write_bytes(idx_bytes(digits(2)[0]) + b"\0")
    with pytest.raises(DataError, match=r"its shape .* asks for 1568 bytes, but it has more"):
        read_idx(tmp_path / "long")


@pytest.mark.parametrize("start", [b"\x89PNG", b"\0\x01\x08\x03", b"\0\0\x07\x03", b"<htm"])
def test_other_files_are_no_idx_files(tmp_path, start):
    (tmp_path / "other").write_bytes(start + bytes(100))
    with pytest.raises(DataError, match=f"other is not an IDX file: .*{start.hex()}"):
        read_idx(tmp_path / "other")


def test_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="nothing-here cannot be read: No such file"):
        read_idx(tmp_path / "nothing-here")


@pytest.mark.parametrize("dotted", [False, True])
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("test", "t10k")])
def test_the_usual_names_are_found(tmp_path, dotted, zipped, split, prefix):
    images, labels = write_set(tmp_path, dotted, zipped, prefix)
    digits_set = pickle.loads(pickle.dumps(Idx(str(tmp_path), split)))
    assert len(digits_set) == 20
    assert digits_set.schemas["label"].names == tuple("0123456789")
    for index in (0, 13, 19):
        element = digits_set[index]
        assert element["image"].shape == (28, 28, 1) and element["image"].dtype == np.uint8
        assert element["label"].shape == () and element["label"].dtype == np.int32
        np.testing.assert_array_equal(element["image"][..., 0], images[index])
        assert element["label"] == labels[index]


def test_missing_set_says_what_was_looked_for_where_and_how_to_get_it(tmp_path):
    write_set(tmp_path, prefix="train")
    with pytest.raises(DataError) as error:
        Idx(tmp_path, "test")
    for part in (
        "t10k-images-idx3-ubyte",
        "t10k-images.idx3-ubyte.gz",
        str(tmp_path),
        "MNIST database",
        "--config.data.source=tfds",
    ):
        assert part in str(error.value)


def test_unknown_split_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no split 'val'; choose one of train, test"):
        Idx(tmp_path, "val")


@pytest.mark.parametrize(
    ("kind", "array", "message"),
    [
        ("images-idx3", np.zeros((20, 784), np.uint8), "8-bit images"),
        ("images-idx3", np.zeros((20, 28, 28), np.float32), "8-bit images"),
        ("images-idx3", np.zeros((19, 28, 28), np.uint8), "19 images and .* 20 labels"),
        ("labels-idx1", np.zeros((20, 2), np.uint8), "class numbers"),
        ("labels-idx1", np.full(20, -1, np.int8), "class numbers"),
        ("labels-idx1", np.zeros(20, np.float32), "class numbers"),
    ],
)
def test_arrays_that_are_no_labelled_pictures_are_refused(tmp_path, kind, array, message):
    write_set(tmp_path, zipped=False)
    (tmp_path / f"train-{kind}-ubyte").write_bytes(idx_bytes(array))
    with pytest.raises(DataError, match=message):
        Idx(tmp_path, "train")


def write_both(folder, images, labels):
    for prefix in ("train", "t10k"):
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))


def test_colour_images_are_read(tmp_path):
    images = np.random.default_rng(0).integers(256, size=(5, 8, 8, 3), dtype=np.uint8)
    write_both(tmp_path, images, np.arange(5, dtype=np.uint8))
    np.testing.assert_array_equal(Idx(tmp_path, "test")[3]["image"], images[3])


@pytest.mark.parametrize(
    ("change_images", "change_labels", "words"),
    [
        (lambda v: (v / 255).astype("f4"), lambda v: v, "train-images-idx3-ubyte is float32"),
        (lambda v: v.astype("i4"), lambda v: v, "train-images-idx3-ubyte is int32"),
        (lambda v: v.reshape(20, -1), lambda v: v, "images as rows"),
        (lambda v: np.stack([v] * 3, 1), lambda v: v, "with the channels first"),
        (lambda v: v, lambda v: v.astype("f8"), "train-labels-idx1-ubyte is float64"),
        (lambda v: v, lambda v: np.eye(10, dtype="u1")[v], "one-hot"),
    ],
)
def test_other_arrays_come_with_the_line_that_converts_them(
    tmp_path, change_images, change_labels, words
):
    images, labels = digits(20)
    folder = tmp_path / "set"
    folder.mkdir()
    write_both(folder, change_images(images), change_labels(labels))
    with pytest.raises(DataError) as error:
        Idx(folder, "train")
    assert words in str(error.value)
    _, _, command = str(error.value).partition("follows): python -c ")
    exec(shlex.split(command)[0], {})
    for split in ("train", "test"):
        element = Npz(tmp_path / "set_converted.npz", split)[13]
        np.testing.assert_array_equal(element["image"][..., 0], images[13])
        assert element["label"] == labels[13]


def test_exchanged_files_come_with_the_line_that_mends_them(tmp_path):
    folder = tmp_path / "a set"
    folder.mkdir()
    images, labels = digits(20)
    write_both(folder, labels, images)
    with pytest.raises(DataError, match="ubyte holds labels and .* images") as error:
        Idx(folder, "train")
    subprocess.run(str(error.value).partition("names: ")[2], shell=True, check=True)
    assert len(Idx(folder, "train")) == 20


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("train-images-idx3-ubyte.gzip", "rename it to train-images-idx3-ubyte, gzipped or not"),
        ("Train-Images-idx3-ubyte", "rename it to train-images-idx3-ubyte, gzipped or not"),
        ("train-images-idx3-ubyte.zip", "unpack it"),
        ("raw/train-images-idx3-ubyte", "raw: --config.data.dir="),
    ],
)
def test_files_of_other_names_are_found(tmp_path, name, remedy):
    write_set(tmp_path, zipped=False)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / "train-images-idx3-ubyte").rename(tmp_path / name)
    (tmp_path / "._train-images-idx3-ubyte").touch()
    with pytest.raises(DataError) as error:
        Idx(tmp_path, "train")
    assert remedy in str(error.value) and "\n" not in str(error.value)


def test_shapes_that_no_array_has_are_damage(tmp_path):
    header = struct.pack(">BBBB200I", 0, 0, 8, 200, *[1] * 200)
    (tmp_path / "deep").write_bytes(header + b"\0")
    with pytest.raises(DataError, match="deep is damaged: its shape is"):
        read_idx(tmp_path / "deep")
