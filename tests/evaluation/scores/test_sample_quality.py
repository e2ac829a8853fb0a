"""Samples beside real images: known distances."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.evaluation.evaluator import EvaluatedWeights, evaluator_of
from symmflow_jax.evaluation.scores import real_features
from symmflow_jax.evaluation.scores.sample_quality import SampleMetrics, sample_quality
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.compiled.predictions import Generation
from symmflow_jax.methods.weights import Weights
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
        self.schemas = source.schemas

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


@pytest.fixture
def published(tiny_experiment, tmp_path, monkeypatch):
    """A function from a number of samples to the scores of signals half a level too bright."""
    weights = tmp_path / "lpips.safetensors"
    weights.touch()

    def measure(num_samples: int, **changes):
        values = {
            "eval.protocol": "published",
            "eval.statistics_dir": str(tmp_path / "statistics"),
            "eval.num_feature_samples": num_samples,
            "eval.lpips_weights": str(weights),
        }
        evaluator = evaluator_of(tiny_experiment(**values | changes))
        masks, real = {}, evaluator.batches(0)
        for batch in real:
            for index, labels in zip(batch.example_index.tolist(), batch.labels, strict=True):
                masks[index] = np.asarray(labels)
        seen = []

        def generate(method, params, key, positions, labels, solve, guidance, as_signals):
            assert as_signals
            seen.extend(zip(np.asarray(positions).tolist(), np.asarray(labels), strict=True))
            signals = jnp.full((len(positions), 8, 8, 3), 1.25)
            return Generation(signals, jnp.ones(len(positions), jnp.int32))

        monkeypatch.setattr(predictions, "generate", generate)
        features = real_features.real_features(evaluator, _function())
        protocol = evaluator.protocol("generation", _TRAINED, 0, solver="euler", num_steps=5)
        sample_metrics = SampleMetrics(_function(), features, _Signals())
        scores = sample_quality(evaluator, _TRAINED, None, protocol, sample_metrics)
        return scores, seen, masks

    return measure


class _Signals:
    """In place of LPIPS: the largest value of the first images, which must be signals."""

    weights_hash = "none"

    def __call__(self, first, second):
        assert first.dtype == jnp.float32 and first.shape == second.shape
        return jnp.max(first, axis=(1, 2, 3))


def test_published_samples_repeat_each_mask_and_are_compared_unclipped(published):
    (distances, pairs), seen, masks = published(30)
    # Thirty samples of twelve masks: ten of them, three times each.
    for position, labels in seen[:30]:
        np.testing.assert_array_equal(labels, masks[position // 3])
    assert distances.num_examples == 30
    assert distances.protocol.conditions == pairs.protocol.conditions == "10 masks, each 3 times"
    assert distances.protocol.conventions == "published"
    assert pairs.values == {"lpips": 1.25}


def test_our_samples_take_all_masks_again_and_again(evaluator, measure):
    distances, _ = measure(evaluator(30), 2, _function())
    assert distances.protocol.conditions == "12 masks in turn"
    assert distances.protocol.conventions == "ours"


def test_published_samples_of_labels_take_all_labels_in_turn(published):
    labels = {"semantics.encoding": "plane", "eval.lpips_weights": "", "eval.features": "inception"}
    (distances, _), seen, _ = published(30, **labels, **{"eval.feature_weights": __file__})
    conditions = [int(label) for _, label in seen[:30]]
    num_classes = max(conditions) + 1
    assert conditions == [number % num_classes for number in range(30)]
    assert distances.protocol.conditions == f"{num_classes} labels in turn"
