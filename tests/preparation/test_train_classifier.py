import json
import pathlib

import numpy as np
import pytest
import safetensors

from symmflow_jax.data.fingerprint import fingerprint
from symmflow_jax.metrics import features
from symmflow_jax.preparation.train_classifier import train_classifier
from symmflow_jax.runtime.outputs import OutputError


@pytest.fixture
def experiment(tiny_experiment, tmp_path):
    """Images of one class are dark, those of the other bright; one test label is wrong."""
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 32), ("test", 10)):
        labels = np.arange(count) % 2
        levels = rng.integers(0, 60, size=(count, 8, 8)) + 190 * labels[:, None, None]
        arrays |= {f"{split}_images": levels.astype(np.uint8), f"{split}_labels": labels}
    arrays["test_labels"][0] = 1
    np.savez(tmp_path / "levels.npz", **arrays)
    return tiny_experiment(
        **{
            "data.source": "npz",
            "data.dir": str(tmp_path / "levels.npz"),
            "data.image_channels": 1,
            "semantics.encoding": "plane",
        }
    )


@pytest.mark.usefixtures("standard_dtype_promotion")
def test_a_classifier_learns_and_tells_how_well(experiment, tmp_path):
    path = tmp_path / "classifiers" / "levels.safetensors"
    train_classifier(experiment, path, num_steps=30)
    with safetensors.safe_open(path, framework="np") as file:
        metadata = json.loads(file.metadata()["facts"])
    # All but the wrong label, and the padding of the last batch does not count.
    digest = fingerprint(experiment.training_source).digest
    assert metadata == {
        "accuracy": 0.9,
        "num_steps": 30,
        "source": "npz",
        "data_digest": digest,
    }
    hidden = features.classifier(path)(np.zeros((2, 8, 8, 1), np.uint8))
    assert hidden.shape == (2, 128)


def test_a_place_is_checked_before_the_training(experiment, tmp_path):
    path = tmp_path / "levels.safetensors"
    path.touch()
    with pytest.raises(OutputError, match=r"levels\.safetensors exists already\. Give --overwri"):
        train_classifier(experiment, path, num_steps=10**9)
    for other, message in (
        (path / "a.safetensors", r"levels\.safetensors is a file\. Give another --output"),
        (pathlib.Path("/proc/a.safetensors"), r"/proc cannot be written: .* another --output"),
    ):
        with pytest.raises(OutputError, match=message):
            train_classifier(experiment, other, num_steps=10**9, overwrite=True)


def test_a_place_in_a_bucket_is_no_folder_of_the_disk(experiment):
    with pytest.raises(ValueError, match="--output is 'gs://bucket/weights.npz'"):
        train_classifier(experiment, "gs://bucket/weights.npz", 1)


def test_what_has_no_labels_or_images_is_refused(tiny_experiment, tmp_path):
    path = tmp_path / "classifier.safetensors"
    with pytest.raises(ValueError, match="images with labels.*'plane' or 'colour'"):
        train_classifier(tiny_experiment(), path, num_steps=1)
    with pytest.raises(ValueError, match=r"--output is 'weights.bin'.*\.safetensors"):
        train_classifier(tiny_experiment(), "weights.bin", num_steps=1)
