"""LPIPS as a metric; its distances: `interop/names`."""

import json
import pathlib

import jax
import numpy as np
import pytest
import safetensors.numpy

from symmflow_jax.metrics.lpips import Lpips, lpips

REFERENCE = pathlib.Path(__file__).parents[1] / "fixtures" / "lpips.npz"


@pytest.fixture(scope="module")
def path(weights_by_name, tmp_path_factory) -> pathlib.Path:
    shapes = json.loads(str(np.load(REFERENCE)["shapes"]))
    arrays = {name: weights_by_name(name, tuple(shape)) for name, shape in shapes.items()}
    path = tmp_path_factory.mktemp("weights") / "lpips.safetensors"
    # Weights of differences are not negative.
    safetensors.numpy.save_file(
        {k: np.abs(v) if k[:3] == "lin" else v for k, v in arrays.items()}, path
    )
    return path


@pytest.fixture(scope="module")
def distance(path) -> Lpips:
    return lpips(path)


def _pixels(seed: int, channels: int = 3) -> np.ndarray:
    shape = (2, 32, 36, channels)
    return np.random.default_rng(seed).integers(256, size=shape, dtype=np.uint8)


def test_grey_images_are_colour_ones_of_equal_channels(distance):
    first, second = _pixels(0, 1), _pixels(1, 1)
    coloured = distance(np.repeat(first, 3, axis=-1), np.repeat(second, 3, axis=-1))
    np.testing.assert_allclose(distance(first, second), coloured, rtol=1e-5)
    assert (np.asarray(coloured) > 0).all()


def test_a_small_change_is_a_small_distance(distance):
    first, second = _pixels(0), _pixels(1)
    nearly = np.where(np.arange(36)[None, None, :, None] < 2, second, first)
    assert (np.asarray(distance(first, nearly)) < np.asarray(distance(first, second))).all()


def test_weights_are_known_by_their_hash(path, distance, tmp_path):
    assert lpips(path).weights_hash == distance.weights_hash
    assert int(distance.weights_hash, 16) >= 0
    arrays = safetensors.numpy.load_file(path)
    arrays["features.0.bias"] = arrays["features.0.bias"] + 1
    safetensors.numpy.save_file(arrays, tmp_path / "other.safetensors")
    assert lpips(tmp_path / "other.safetensors").weights_hash != distance.weights_hash


def test_weights_lie_on_the_device_and_are_not_shown(distance):
    assert all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(distance.params))
    assert "params" not in repr(distance)


def test_images_with_transparency_are_refused(distance):
    with pytest.raises(ValueError, match=r"1 or 3\], not \[2, 32, 36, 4\] with \[2, 32, 36, 4\]"):
        distance(_pixels(0, 4), _pixels(1, 4))
    with pytest.raises(ValueError, match=r"not \[32, 36, 3\] with \[32, 36, 3\]"):
        distance(_pixels(0)[0], _pixels(1)[0])


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"none\.safetensors"):
        lpips(tmp_path / "none.safetensors")


def test_weights_that_are_not_finite_are_refused(path, tmp_path):
    arrays = safetensors.numpy.load_file(path)
    arrays["features.0.bias"] = np.full_like(arrays["features.0.bias"], np.inf)
    broken = tmp_path / "broken.safetensors"
    safetensors.numpy.save_file(arrays, broken)
    with pytest.raises(ValueError, match=r"broken.*: 1 of .*features.0.bias \(64 infinite"):
        lpips(broken)
