import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy

from symmflow_jax.interop.torch_files import WeightsFileError
from symmflow_jax.metrics import features
from symmflow_jax.metrics.classifier import Classifier, read_classifier, write_classifier
from symmflow_jax.runtime.outputs import OutputError

IMAGES = np.random.default_rng(0).integers(256, size=(3, 8, 8, 1), dtype=np.uint8)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    network = Classifier(num_classes=4, image_shape=(8, 8, 1), num_features=5)
    shapes = jax.eval_shape(network.init, jax.random.key(0), jnp.asarray(IMAGES))["params"]
    generator = np.random.default_rng(0)
    params = jax.tree.map(
        lambda leaf: generator.standard_normal(leaf.shape).astype(np.float32) / 10, shapes
    )
    path = tmp_path_factory.mktemp("classifier") / "digits.safetensors"
    write_classifier(path, network, params, {"accuracy": 0.5})
    return network, params, path


def test_a_full_disk_is_one_line(written, tmp_path, full_disk):
    network, params, _ = written
    path = tmp_path / "digits.safetensors"
    with full_disk(), pytest.raises(OutputError, match=r"digits\.safetensors could not be written"):
        write_classifier(path, network, params, {})
    assert not list(tmp_path.iterdir())


def test_a_classifier_survives_its_file(written):
    network, params, path = written
    again, weights = read_classifier(path)
    assert again == network
    jax.tree.map(np.testing.assert_array_equal, weights, params)


def test_logits_depend_on_the_features_alone(written):
    network, params, path = written
    hidden = features.classifier(path)(IMAGES)
    assert hidden.shape == (3, 5)
    logits = jax.jit(network.apply)({"params": params}, jnp.asarray(IMAGES))
    kernel, bias = params["out"]["kernel"], params["out"]["bias"]
    np.testing.assert_allclose(logits, hidden @ kernel + bias[None], rtol=1e-5, atol=1e-5)


def test_two_classifiers_have_different_features(written, tmp_path):
    network, params, path = written
    other = jax.tree.map(lambda array: array + 1, params)
    write_classifier(tmp_path / "other.safetensors", network, other, {})
    first, second = features.classifier(path), features.classifier(tmp_path / "other.safetensors")
    assert first.name == second.name == "classifier"
    assert first.weights_hash != second.weights_hash


def test_images_of_another_size_are_refused(written):
    with pytest.raises(ValueError, match=r"learned images of shape \(8, 8, 1\), not of \(8, 9, 1"):
        features.classifier(written[2])(np.zeros((1, 8, 9, 1), np.uint8))


def test_other_weights_are_no_classifier(tmp_path):
    path = tmp_path / "weights.safetensors"
    safetensors.numpy.save_file({"out/kernel": np.zeros((2, 2), np.float32)}, path)
    with pytest.raises(WeightsFileError, match="weights.safetensors is no classifier.*train one"):
        features.classifier(path)
    with pytest.raises(WeightsFileError, match="There is no file of weights .*absent"):
        features.classifier(tmp_path / "absent.safetensors")


def test_a_classifier_that_is_not_finite_or_not_whole_is_refused(written, tmp_path):
    network, params, _ = written
    path = tmp_path / "nan.safetensors"
    write_classifier(path, network, jax.tree.map(lambda array: array * np.nan, params), {})
    with pytest.raises(WeightsFileError, match=r"nan.safetensors: .*convs_0/bias \(32 NaN of 32"):
        features.classifier(path)
    write_classifier(path, network, {"out": params["out"]}, {})
    with pytest.raises(
        WeightsFileError, match="other arrays than the classifier that it describes"
    ):
        features.classifier(path)
