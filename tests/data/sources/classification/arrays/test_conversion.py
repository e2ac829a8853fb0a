"""The lines that convert archives; the tests of `Npz` and `Idx` run them."""

import pathlib
import shlex

import numpy as np

from symmflow_jax.data.sources.classification.arrays import conversion
from symmflow_jax.data.sources.classification.arrays.conversion import Archive, Split

GREY = np.zeros((2, 4, 4), np.uint8)
SPLITS = (Split("train", "x", "y"), Split("test", "x2", "y2"))


def archive(**arrays):
    good = {"x": GREY, "y": np.array([0, 1]), "x2": GREY, "y2": np.array([0, 1])}
    return Archive(pathlib.Path("/data/set.npz"), good | arrays, SPLITS)


def test_a_good_split_has_no_faults():
    assert archive().faults_of(SPLITS[0]) == (None, None)


def test_the_message_is_one_line_that_ends_with_one_command():
    text = conversion.refusal(archive(y=np.eye(2)), SPLITS[0])
    assert text.startswith("/data/set.npz: y has 2 labels for each image, one-hot; class numbers")
    assert "--config.data.dir=/data/set_converted.npz --config.data.name=''" in text
    _, _, command = text.partition("follows): ")
    python, flag, code = shlex.split(command)
    assert (python, flag) == ("python", "-c") and "\n" not in text
    assert '"train_labels": (lambda v: v.argmax(1))(a["y"])' in code
    assert '"test_labels": a["y2"]' in code


def test_splits_that_no_line_mends_are_left_out():
    text = conversion.refusal(archive(y=np.eye(2), x2=np.zeros((2, 4, 4, 4, 4))), SPLITS[0])
    assert "train_labels" in text and "test_labels" not in text


def test_without_a_line_the_fault_alone_is_told():
    text = conversion.refusal(archive(y=np.ones((2, 3)), x=GREY / 2), SPLITS[0])
    assert "x is float64" in text and "multi-label" in text and "python" not in text


def test_arrays_may_be_loaded_in_another_way():
    other = Archive(pathlib.Path("/data/set"), archive(y=np.eye(2)).arrays, SPLITS, "a = f(3)")
    text = conversion.refusal(other, SPLITS[0])
    assert "a = f(3)" in text and "/data/set_converted.npz" in text and "np.load" not in text


def test_pickles_come_with_a_warning():
    text = conversion.unpickling_line(pathlib.Path("set.npz"))
    assert text.startswith("Pickled objects can run any program.") and "allow_pickle=True" in text


def test_a_part_becomes_the_split_that_is_wanted():
    whole = Archive(pathlib.Path("set.npz"), {"x": GREY, "y": np.array([0, 1])}, SPLITS[:1])
    assert '"val_images"' in conversion.split_line(whole, SPLITS[0], "val")
    assert '"test_images"' in conversion.split_line(whole, SPLITS[0], "train")
