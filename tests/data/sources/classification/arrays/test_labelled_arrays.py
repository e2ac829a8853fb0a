"""Arrays of images with class numbers."""

import pathlib
import pickle

import numpy as np
import pytest

from symmflow_jax.data.sources.classification.arrays.labelled_arrays import LabelledArrays

FILES = (pathlib.Path("set.npz"),)


def test_grey_images_get_a_channel_and_rows_become_points():
    labels = np.array([3, 1], np.uint8)
    grey = pickle.loads(pickle.dumps(LabelledArrays(FILES, np.ones((2, 4, 5), np.uint8), labels)))
    assert grey[0]["image"].shape == (4, 5, 1) and grey.files == FILES and len(grey) == 2
    points = LabelledArrays(FILES, np.ones((2, 7)), labels)
    assert points[1]["image"].shape == (7,) and points[1]["image"].dtype == np.float32
    assert points[1]["label"] == 1 and points[1]["label"].dtype == np.int32


def test_the_classes_end_with_the_largest_label():
    source = LabelledArrays(FILES, np.ones((3, 4, 5), np.uint8), np.array([3, 1, 3]))
    assert source.classes_found == (1, 3)
    assert source.schemas["label"].names == ("0", "1", "2", "3")


@pytest.mark.parametrize(("most", "factor"), [(0, None), (1, 255), (16, 15), (64, None)])
def test_images_that_are_all_dark_are_told(most, factor):
    source = LabelledArrays(FILES, np.full((2, 4, 5), most, np.uint8), np.array([0, 1]))
    expected = (
        f"set.npz: no value of the images is above {most} of 255, so all are dark; if {most} means "
        f"white, multiply them by {factor}.",
    )
    assert source.notes == (expected if factor else ())
