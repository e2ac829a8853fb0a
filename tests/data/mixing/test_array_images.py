"""Images in memory."""

import numpy as np

from symmflow_jax.data.mixing.array_images import ArrayImages, as_images


def test_images_have_channels_and_points_are_float32():
    assert as_images(np.zeros((3, 4, 5), np.uint8)).shape == (3, 4, 5, 1)
    assert as_images(np.zeros((3, 4, 5, 3), np.uint8)).shape == (3, 4, 5, 3)
    assert as_images(np.zeros((3, 2))).dtype == np.float32


def test_they_come_without_labels():
    source = ArrayImages(("a.npz",), np.arange(8, dtype=np.uint8).reshape(2, 2, 2))
    assert len(source) == 2 and source.files == ("a.npz",) and source.schemas == {}
    np.testing.assert_array_equal(source[1]["image"][..., 0], [[4, 5], [6, 7]])
