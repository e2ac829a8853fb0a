import json
import pathlib

import numpy as np
import pytest
import safetensors.numpy

from symmflow_jax.interop.names.lpips import needed, params_from_state_dict
from symmflow_jax.metrics.lpips import lpips

pytestmark = pytest.mark.slow

REFERENCE = pathlib.Path(__file__).parents[2] / "fixtures" / "lpips.npz"


@pytest.fixture(scope="module")
def reference():
    return dict(np.load(REFERENCE))


@pytest.fixture(scope="module")
def state_dict(reference, weights_by_name):
    shapes = json.loads(str(reference["shapes"]))
    arrays = {name: weights_by_name(name, tuple(shape)) for name, shape in shapes.items()}
    return {
        name: np.abs(array) if name.startswith("lin") else array for name, array in arrays.items()
    }


@pytest.fixture(scope="module")
def distance(state_dict, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "lpips.safetensors"
    safetensors.numpy.save_file(state_dict, path)
    return lpips(path)


def test_distances_are_those_of_the_lpips_package(reference, distance):
    distances = distance(reference["first"], reference["second"])
    assert distances.dtype == np.float32
    np.testing.assert_allclose(distances, reference["distances"], rtol=1e-4, atol=1e-6)


def test_pixels_and_signals_are_the_same_images(reference, distance):
    first, second = reference["first"], reference["second"]
    signals = [images.astype(np.float32) / 127.5 - 1 for images in (first, second)]
    np.testing.assert_allclose(distance(*signals), distance(first, second), rtol=1e-5)


def test_a_distance_vanishes_for_equal_images_alone_and_is_symmetric(reference, distance):
    first, second = reference["first"], reference["second"]
    np.testing.assert_allclose(distance(first, first), 0, atol=1e-12)
    assert (np.asarray(distance(first, second)) > 0).all()
    np.testing.assert_allclose(distance(second, first), distance(first, second), rtol=1e-5)


def test_images_that_cannot_be_compared_are_refused(distance):
    images = np.zeros((1, 40, 53, 3), np.uint8)
    with pytest.raises(ValueError, match=r"not \[1, 40, 53, 3\] with \[1, 40, 52, 3\]"):
        distance(images, images[:, :, 1:])
    with pytest.raises(ValueError, match="31 pixels or more either way, not 40x30"):
        distance(images[:, :, :30], images[:, :, :30])


def test_a_classifier_is_left_out_and_what_is_missing_is_listed(state_dict):
    weights = state_dict | {"classifier.1.weight": np.zeros((4, 4), np.float32)}
    assert needed(weights).keys() == state_dict.keys()
    heads = {name: array for name, array in weights.items() if name.startswith("lin")}
    with pytest.raises(ValueError, match=r"missing: features.0.weight, .*alexnet-owt-7be5be79"):
        params_from_state_dict(heads)
    backbone = {name: array for name, array in weights.items() if name not in heads}
    with pytest.raises(ValueError, match=r"missing: lin0.model.1.weight, .*v0.1/alex.pth"):
        params_from_state_dict(backbone)
