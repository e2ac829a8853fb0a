import numpy as np
import pytest
import safetensors.numpy

from symmflow_jax.metrics import features


def _projection(weights, images):
    return images.reshape(len(images), -1)[:, :2].astype(np.float32) * weights["scale"]


def _function(scale: float) -> features.FeatureFunction:
    weights = {"scale": np.full((1, 2), scale, np.float32)}
    return features.feature_function("projection", _projection, weights, 2)


def test_features_are_computed_on_pixels():
    images = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)
    result = _function(2.0)(images)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, [[0, 2], [24, 26]])


def test_the_hash_tells_weights_apart_and_nothing_else():
    assert _function(2.0).weights_hash == _function(2.0).weights_hash
    assert _function(2.0).weights_hash != _function(3.0).weights_hash


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 4, 4, 3), np.float32), r"not of float32 \[2, 4, 4, 3\]"),
        (np.zeros((2, 4, 4, 4), np.uint8), r"not of uint8 \[2, 4, 4, 4\]"),
        (np.zeros((4, 4, 3), np.uint8), r"not of uint8 \[4, 4, 3\]"),
    ],
)
def test_images_of_another_kind_are_refused(images, message):
    with pytest.raises(ValueError, match=message):
        _function(1.0)(images)


def test_missing_inception_weights_are_named_with_the_key_to_set(tmp_path):
    with pytest.raises(ValueError) as error:
        features.inception(tmp_path / "absent.pth")
    message = str(error.value)
    for part in ("absent.pth", "pt_inception-2015-12-05-6726825d.pth", "fid_weights"):
        assert part in message
    assert "config.eval.feature_weights" in message


def test_weights_of_something_else_are_no_inception_weights(tmp_path):
    path = tmp_path / "other.safetensors"
    safetensors.numpy.save_file({"fc.weight": np.zeros((2, 2)), "a": np.zeros(2)}, path)
    with pytest.raises(ValueError, match="surplus: a.*pt_inception-2015-12-05-6726825d.pth"):
        features.inception(path)
