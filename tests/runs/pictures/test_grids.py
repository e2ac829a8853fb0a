"""Pictures: their sizes, and that what they show is where it should be."""

import numpy as np
import pytest

from symmflow_jax.runs.pictures import grids
from symmflow_jax.semantics.labels import consecutive

_SCHEMA = consecutive(("road", "sky"))


def _sample(count: int, shape: tuple[int, ...], dense: bool) -> dict[str, np.ndarray]:
    labels = np.ones((count, *shape[:2]) if dense else (count,), np.int32)
    image = np.full((count, *shape), 77, np.uint8)
    return {"image": image, "labels": labels, "generated": image, "predicted": labels.copy()}


def test_a_row_shows_real_mask_generated_and_predicted():
    sample = _sample(2, (8, 8, 3), dense=True)
    sample["predicted"][0] = 0
    grid = grids.sample_grid(sample, _SCHEMA)
    middle = grid[14 + 4 + 48]
    centres = [tuple(middle[4 + column * 100 + 48]) for column in range(4)]
    assert centres == [(77, 77, 77), _SCHEMA.palette[1], (77, 77, 77), _SCHEMA.palette[0]]


@pytest.mark.parametrize("channels", [1, 3])
def test_labels_stand_beside_their_images(channels):
    grid = grids.sample_grid(_sample(7, (8, 8, channels), dense=False), _SCHEMA)
    assert grid.ndim == 3 and grid.shape[2] == 3
    assert grid.shape[1] == 10 * 100 + 4  # Five pairs in a row.
    assert grid.shape[0] == 2 * 114 + 4


def test_long_names_of_classes_stay_above_their_own_image():
    long = consecutive(("immature granulocytes", "x" * 50))
    shape = grids.sample_grid(_sample(1, (8, 8, 3), dense=False), _SCHEMA).shape
    grid = grids.sample_grid(_sample(1, (8, 8, 3), dense=False), long)
    assert grid.shape[1] == shape[1] == 204 and 14 < grid.shape[0] - shape[0] <= 3 * 14
    # Nothing is written over the gap between the images.
    assert (grid[:, 100:104] == 255).all() and (grid[:, 200:] == 255).all()


def test_an_overlay_lies_between_image_and_mask():
    image, mask = np.full((2, 2, 3), 100, np.uint8), np.full((2, 2, 3), 200, np.uint8)
    np.testing.assert_array_equal(grids.overlay(image, mask, 0.25), np.full((2, 2, 3), 125))


@pytest.mark.parametrize("names", [("Straße", "木"), ("a\udcffb", "$x_$"), ("a\nb", "x" * 5000)])
def test_any_names_of_classes_are_drawn(names, recwarn):
    schema = consecutive(names)
    points = {"image": np.zeros((2, 2)), "generated": np.zeros((2, 2))}
    labels = {"labels": np.array([0, 1]), "predicted": np.array([1, 0])}
    assert grids.sample_grid(points | labels, schema).shape[1] < 2_000
    assert grids.sample_grid(_sample(2, (8, 8, 3), dense=False) | labels, schema).ndim == 3
    assert grids.beside([(name, np.zeros((8, 8, 3), np.uint8)) for name in names]).ndim == 3
    assert not recwarn.list


def test_without_semantics_real_ones_stand_above_generated_ones():
    sample = {key: value for key, value in _sample(3, (8, 8, 3), dense=True).items()}
    pair = {key: sample[key] for key in ("image", "generated")}
    grid = grids.sample_grid(pair, _SCHEMA)
    assert grid.shape[2] == 3 and grid.shape[1] > grid.shape[0]
    points = {key: np.random.default_rng(0).normal(size=(9, 2)) for key in pair}
    assert grids.sample_grid(points, _SCHEMA).std() > 1
