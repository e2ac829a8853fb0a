import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.metrics.masks import boundary

_PATH = pathlib.Path(__file__).parents[2] / "fixtures" / "boundary_scores.npz"


def test_the_distance_is_two_hundredths_of_the_diagonal():
    assert boundary.boundary_distance(60, 80) == 2
    assert boundary.boundary_distance(512, 512) == 14
    assert boundary.boundary_distance(8, 8) == 1


def test_boundaries_are_what_an_erosion_of_each_class_takes_away():
    with np.load(_PATH) as file:
        masks, edges = file["targets"].astype(np.int32), file["edges"]
    np.testing.assert_array_equal(jax.jit(boundary.on_boundary)(jnp.asarray(masks)), edges)
    for mask, expected in zip(masks, edges, strict=True):
        np.testing.assert_array_equal(boundary.on_boundary_on_host(mask), expected)


@pytest.mark.parametrize("label", [-1, 0, 3])
def test_the_border_of_the_image_is_a_boundary(label):
    mask = np.full((5, 6), label, np.int32)
    expected = np.ones((5, 6), bool)
    expected[1:-1, 1:-1] = False
    np.testing.assert_array_equal(boundary.on_boundary_on_host(mask), expected)
    np.testing.assert_array_equal(boundary.on_boundary(jnp.asarray(mask)[None])[0], expected)
