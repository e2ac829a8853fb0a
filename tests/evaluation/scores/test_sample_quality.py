"""Samples beside real images: known distances."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.evaluation.evaluator import EvaluatedWeights, evaluator_of
from symmflow_jax.evaluation.scores import real_features
from symmflow_jax.evaluation.scores.sample_quality import SampleMetrics, sample_quality
from symmflow_jax.inference import predictions
from symmflow_jax.inference.predictions import Generation
from symmflow_jax.methods.symmflow import Weights
from symmflow_jax.metrics.features import feature_function

_TRAINED = EvaluatedWeights(Weights({}), train_step=3)


def _channel_means(weights, images):
    return weights["scale"] * jnp.mean(images.astype(jnp.float32), axis=(1, 2))


def _function(scale: float = 1.0):
    return feature_function("means", _channel_means, {"scale": np.float32(scale)}, 3)


class _Dim:
    """A source whose images leave room above them."""

    def __init__(self, source):
        self._source = source

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: int):
        element = self._source[index]
        return element | {"image": element["image"] // 2}


class _Difference:
    """In place of LPIPS: the mean difference of two images in 8-bit levels."""

    weights_hash = "none"

    def __call__(self, first, second):
        difference = jnp.abs(first.astype(jnp.float32) - second.astype(jnp.float32))
        return jnp.mean(difference, axis=(1, 2, 3))


@pytest.fixture
def evaluator(tiny_experiment, tmp_path):
    weights = tmp_path / "lpips.safetensors"
    weights.touch()

    def make(num_samples: int):
        experiment = tiny_experiment(
            **{
                "eval.statistics_dir": str(tmp_path / "statistics"),
                "eval.num_feature_samples": num_samples,
                "eval.lpips_weights": str(weights),
            }
        )
        made = evaluator_of(experiment)
        return dataclasses.replace(made, source=_Dim(made.source))

    return make


@pytest.fixture
def measure(monkeypatch):
    """A function that measures samples which are the real images, made brighter."""

    def measure_brighter(evaluator, shift: int, function):
        batches = [np.asarray(batch.image.values) for batch in evaluator.batches(0)]
        real = jnp.asarray(np.concatenate(batches))

        def generate(method, params, key, positions, labels, solve, guidance):
            made = real[positions % 12] + jnp.uint8(shift)
            return Generation(made, jnp.full(len(positions), 5, jnp.int32))

        monkeypatch.setattr(predictions, "generate", generate)
        features = real_features.real_features(evaluator, function)
        protocol = evaluator.protocol("generation", _TRAINED, 0, solver="euler", num_steps=5)
        sample_metrics = SampleMetrics(function, features, _Difference())
        return sample_quality(evaluator, _TRAINED, None, protocol, sample_metrics)

    return measure_brighter


@pytest.mark.parametrize("shift", [0, 4])
def test_a_shift_has_its_known_distance(evaluator, measure, shift):
    distances, pairs = measure(evaluator(12), shift, _function())
    # Three features are shifted and their covariances are the same.
    assert distances.values["frechet_distance"] == pytest.approx(3 * shift**2, abs=1e-3)
    assert distances.values.keys() == {"frechet_distance", "kernel_distance"}
    assert pairs.values == {"lpips": shift}
    for scores in (distances, pairs):
        assert (scores.num_examples, scores.nfe) == (12, 5)
    assert distances.protocol.features == "means"
    assert distances.protocol.features_hash == _function().weights_hash
    assert distances.protocol.reference == "12 real images (eval)"
    assert pairs.protocol.features == "lpips-alexnet" and pairs.protocol.reference is None


def test_labels_are_repeated_up_to_the_number_of_samples(evaluator, measure):
    distances, pairs = measure(evaluator(30), 2, _function())
    assert distances.num_examples == pairs.num_examples == 30
    assert pairs.values == {"lpips": 2}


def test_inception_distances_bear_their_names(evaluator, measure):
    named = feature_function("inception", _channel_means, {"scale": np.float32(1)}, 3)
    distances, _ = measure(evaluator(12), 1, named)
    assert distances.values.keys() == {"fid", "kid"}


def test_missing_weights_are_told_before_anything_else(tiny_experiment, tmp_path):
    samples = {"eval.num_feature_samples": 4, "eval.lpips_weights": str(tmp_path / "no")}
    experiment = tiny_experiment(**samples)
    with pytest.raises(ValueError, match=r"lpips_weights is .*no', which is no file"):
        evaluator_of(experiment)
