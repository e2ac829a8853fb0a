"""Images and points, one or several, as a classifier reads them."""

import numpy as np
import pytest

from symmflow_jax.inference.given.examples import fitted_images, given_points
from symmflow_jax.inference.given.images import PICTURES


def test_one_point_is_told_from_several():
    for points, is_one in ((np.array([1.0, 2.0]), True), (np.array([[1.0, 2.0]]), False)):
        given, examples = given_points(points, (2,))
        assert given.is_one == is_one
        (point,) = examples
        np.testing.assert_array_equal(point, [1.0, 2.0])
    with pytest.raises(ValueError, match=r"shape \(1, 3\); this model takes \('batch', 2\)"):
        given_points(np.zeros(3), (2,))


def test_images_come_in_the_size_of_the_model(tiny_experiment):
    images = np.random.default_rng(0).integers(256, size=(2, 8, 20, 3), dtype=np.uint8)
    given, examples = fitted_images(images, 3, PICTURES, tiny_experiment().preparation)
    assert not given.is_one
    np.testing.assert_array_equal(list(examples), images[:, :, 6:14])
    np.testing.assert_array_equal(given.items[1].pixels(), images[1])
