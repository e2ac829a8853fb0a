"""Images in memory."""

import numpy as np
import pytest

from symmflow_jax.data.mixing.array_images import (
    ArrayImages,
    as_images,
    split_known,
    without_labels,
)
from symmflow_jax.data.source import DataError
from symmflow_jax.flow.state import JointState


def test_images_have_channels_and_points_are_float32():
    assert as_images(np.zeros((3, 4, 5), np.uint8)).shape == (3, 4, 5, 1)
    assert as_images(np.zeros((3, 4, 5, 3), np.uint8)).shape == (3, 4, 5, 3)
    assert as_images(np.zeros((3, 2))).dtype == np.float32


def test_they_come_without_labels():
    source = ArrayImages(("a.npz",), np.arange(8, dtype=np.uint8).reshape(2, 2, 2))
    assert len(source) == 2 and source.files == ("a.npz",) and source.schemas == {}
    np.testing.assert_array_equal(source[1]["image"][..., 0], [[4, 5], [6, 7]])


def test_labels_of_minus_one_are_not_known(tmp_path):
    path = tmp_path / "a.npz"
    known, labels = split_known(path, np.array([[0], [-1], [2]]), np.zeros(3))
    assert known.tolist() == [True, False, True] and labels.tolist() == [[0], [0], [2]]
    text = np.array(["a", "b"])  # Left to the checks of labels.
    everything, same = split_known(path, text, np.zeros(2))
    assert everything == slice(None) and same is text
    with pytest.raises(DataError, match="all 2 labels are -1"):
        split_known(path, np.array([-1, -1]), np.zeros(2))
    images = np.zeros((3, 4, 4), np.uint8)
    assert without_labels(path, images, slice(None)) is None
    found = without_labels(path, images, known)
    assert len(found.source) == 1 and found.complete == JointState(1.0, 0.0)
