"""Images of masks of any size."""

import dataclasses

import jax
import numpy as np
import pytest

from symmflow_jax.data.geometry import canvas
from symmflow_jax.data.geometry.canvas import View
from symmflow_jax.flow.solvers.fixed_steps import euler
from symmflow_jax.inference.canvas.generation import generate_on_canvas
from symmflow_jax.inference.compiled import predictions

_NOISE = (jax.random.key(0), 3)
_TILES = View("tiles", canvas.tiled)


@pytest.fixture(scope="module")
def model(random_model):
    return random_model(**{"semantics.encoding": "onehot", "train.clock": "independent"})


def _mask(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(5, size=(height, width)).astype(np.int32)


@pytest.mark.parametrize("shape", [(8, 8), (16, 21)])
def test_images_have_the_size_of_their_masks(model, shape):
    image = generate_on_canvas(model.method, model.weights, _mask(*shape), _NOISE, _TILES, euler(1))
    assert image.shape == (*shape, 3) and image.dtype == np.uint8 and image.std() > 0


def test_one_window_makes_the_image_of_the_model(model):
    mask = _mask(8, 8)
    expected = predictions.generate(
        model.method, model.weights, _NOISE[0], np.asarray([3]), mask[None], euler(2)
    )
    for view in (_TILES, View("crop", canvas.covered), View("stretch", canvas.stretched)):
        made = generate_on_canvas(model.method, model.weights, mask, _NOISE, view, euler(2))
        np.testing.assert_array_equal(made, expected.images[0])


def test_a_scale_and_a_single_pass(model):
    half = dataclasses.replace(_TILES, scale=0.5)
    made = generate_on_canvas(model.method, model.weights, _mask(32, 40), _NOISE, half, euler(1))
    assert made.shape == (16, 20, 3)
    whole = View("whole", canvas.whole)
    made = generate_on_canvas(model.method, model.weights, _mask(20, 70), _NOISE, whole, euler(1))
    assert made.shape == (20, 70, 3)
