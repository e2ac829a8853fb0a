"""What predictions keep to, with a real network and with a method that answers by chance."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.data.batch import Pixels
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.runge_kutta import EULER
from symmflow_jax.flow.solvers.solver import Solution
from symmflow_jax.flow.state import JointState
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.compiled.predictions import UNSURE, SemanticsPrediction
from symmflow_jax.methods.symmflow import Sampled
from symmflow_jax.methods.weights import Weights
from symmflow_jax.semantics.class_plane import ClassPlane
from symmflow_jax.semantics.encoding import Encoding
from symmflow_jax.semantics.one_hot import OneHot

pytestmark = pytest.mark.slow

_ONCE = FixedSteps(EULER, 1)


@pytest.fixture(scope="module")
def model(random_model):
    """A model with a clock for each component, which can do everything."""
    return random_model(**{"train.clock": "independent"})


def _key(seed: int = 0) -> jax.Array:
    return jax.random.key(seed)


def _images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(256, size=(count, 8, 8, 3), dtype=np.uint8)


def _predict(model, index, images, key=None, **options):
    key = _key() if key is None else key
    return predictions.predict_semantics(
        model.method, model.weights, key, jnp.asarray(index), Pixels(images), _ONCE, **options
    )


def test_an_example_is_predicted_by_its_index_and_key_alone(model):
    images = _images(4)
    index = np.asarray([5, 2, 9, 2])
    signals = _predict(model, index, images).signal
    order = [3, 0, 2, 1]
    mixed = _predict(model, index[order], images[order]).signal
    np.testing.assert_allclose(mixed, signals[jnp.asarray(order)], atol=1e-5)
    # The same picture with another index or key has another noise.
    same = np.repeat(images[:1], 4, axis=0)
    first, second, third, again = _predict(model, index, same).signal
    np.testing.assert_allclose(again, second, atol=1e-5)
    assert np.abs(first - second).max() > 1e-2 and np.abs(first - third).max() > 1e-2
    assert np.abs(_predict(model, index, same, _key(1)).signal[0] - first).max() > 1e-2


def test_an_example_is_generated_by_its_index_and_key_alone(model):
    labels = jnp.ones((3, 8, 8), jnp.int32)

    def generate(index, seed=0):
        made = predictions.generate(
            model.method, model.weights, _key(seed), jnp.asarray(index), labels, _ONCE
        )
        assert made.images.dtype == jnp.uint8 and made.images.shape == (3, 8, 8, 3)
        np.testing.assert_array_equal(made.nfe, [1, 1, 1])
        return np.asarray(made.images, np.int32)

    made = generate([4, 1, 6])
    assert np.abs(generate([1, 6, 4]) - made[[1, 2, 0]]).max() <= 1
    assert np.abs(made[0] - made[1]).max() > 1
    assert np.abs(generate([4, 1, 6], seed=1) - made).max() > 1


def test_images_may_stay_signals(model):
    labels, index = jnp.ones((3, 8, 8), jnp.int32), jnp.arange(3)

    def generate(**options):
        return predictions.generate(
            model.method, model.weights, _key(), index, labels, _ONCE, **options
        ).images

    signals, pixels = generate(as_signals=True), np.asarray(generate(), np.float32)
    assert signals.dtype == jnp.float32
    assert np.abs(signals).max() > 1.0, "nothing is clipped"
    np.testing.assert_allclose(127.5 * (np.clip(signals, -1, 1) + 1), pixels, atol=0.6)


def test_semantics_may_be_clipped_before_they_are_read(model):
    free = _predict(model, [0, 1], _images(2))
    clipped = _predict(model, [0, 1], _images(2), clip=True)
    assert np.abs(free.signal).max() > 1.0
    np.testing.assert_allclose(clipped.signal, np.clip(free.signal, -1, 1), atol=1e-5)
    np.testing.assert_array_equal(
        clipped.labels, model.method.codec.encoding.decode(clipped.signal)
    )


@pytest.mark.parametrize("what", Sampled)
def test_only_what_is_asked_for_is_made(model, what):
    made = predictions.sample(model.method, model.weights, _key(), jnp.arange(2), _ONCE, what)
    assert (made.images is None) == (what is Sampled.SEMANTICS)
    assert (made.labels is None) == (what is Sampled.IMAGES)
    if made.labels is not None:
        assert made.labels.shape == (2, 8, 8)
        assert set(np.unique(made.labels)) <= set(range(model.schema.num_classes))


def test_losses_are_of_each_example(model):
    images, labels = _images(3), np.ones((3, 8, 8), np.int32)

    def losses(index, images):
        return predictions.losses(
            model.method, model.weights, _key(), jnp.asarray(index), Pixels(images), labels,
            loss_weights=JointState(0.25, 0.75),
        )  # fmt: skip

    found = losses([0, 1, 2], images)
    assert all(part.shape == (3,) and np.isfinite(part).all() for part in found)
    changed = losses([0, 1, 2], np.concatenate([images[:2], 255 - images[2:]]))
    np.testing.assert_allclose(changed.total[:2], found.total[:2], rtol=1e-4)
    assert abs(changed.image[2] - found.image[2]) > 1e-4
    # The weights join the parts.
    np.testing.assert_allclose(found.total, 0.25 * found.image + 0.75 * found.semantics, rtol=1e-5)


@dataclasses.dataclass(frozen=True)
class _ByChance:
    """In place of a method, and of its codec: answers class 1 in seven draws of ten, or else 0."""

    encoding: Encoding

    @property
    def codec(self) -> "_ByChance":
        return self

    def in_compute_dtype(self, weights):
        return weights

    def predict_semantics(self, weights, noise_keys, image, solve):
        del weights, image, solve
        drawn = jax.vmap(lambda key: jax.random.bernoulli(key, 0.7))(noise_keys)
        signal = self.encoding.encode_clean(drawn.astype(jnp.int32))
        passes = jnp.full(len(drawn), 2, jnp.int32)
        return Solution(JointState(signal, signal), passes)

    def decode_semantics(self, weights, semantics):
        del weights
        return semantics


def _by_chance(encoding: Encoding, ensemble_size: int) -> SemanticsPrediction:
    return predictions.predict_semantics(
        _ByChance(encoding), Weights({}), _key(), jnp.arange(200), None, _ONCE, ensemble_size
    )


@pytest.mark.parametrize("encoding", [ClassPlane(2, (), 4.0), OneHot(2)])
def test_draws_vote(encoding):
    one, many = _by_chance(encoding, 1), _by_chance(encoding, 41)
    assert 0.6 < np.mean(one.labels) < 0.8 and np.mean(many.labels) > 0.99
    np.testing.assert_allclose(one.confidence, np.ones(200), atol=1e-5)
    np.testing.assert_allclose(one.entropy, np.zeros(200), atol=1e-4)
    # As sure as draws agree.
    share = np.asarray(many.confidence, np.float64)
    np.testing.assert_allclose(share * 41, np.round(share * 41), atol=1e-2)
    assert abs(share.mean() - 0.7) < 0.03
    other = 1.0 - share
    expected = -share * np.log(share) - other * np.log(other)
    np.testing.assert_allclose(many.entropy, expected, atol=1e-3)
    np.testing.assert_array_equal(many.nfe, np.full(200, 82))
    np.testing.assert_allclose(many.signal, one.signal)  # The first draw is the same.


def test_only_codes_of_probabilities_have_some():
    assert _by_chance(ClassPlane(2, (), 4.0), 3).probabilities is None
    result = _by_chance(OneHot(2), 3)
    assert result.probabilities.shape == (200, 2)
    # Of three draws the mean is a multiple of a third.
    np.testing.assert_allclose(np.max(result.probabilities, -1), result.confidence, atol=1e-5)
    assert set(np.round(3 * np.asarray(result.probabilities[:, 1])).astype(int)) == {0, 1, 2, 3}


def test_distances_are_averaged_over_draws():
    assert _by_chance(OneHot(2), 3).distances is None
    one, many = (_by_chance(ClassPlane(2, (), 4.0), draws) for draws in (1, 4))
    # Each draw is one of both codes, one label apart.
    drawn = np.asarray(one.labels)[:, None]
    np.testing.assert_allclose(one.distances, drawn != np.arange(2), atol=1e-6)
    np.testing.assert_allclose(many.distances.sum(axis=-1), np.ones(200), atol=1e-6)
    assert set(np.round(4 * np.asarray(many.distances[:, 0]), 4)) == {0, 1, 2, 3, 4}


def _prediction(labels, confidence) -> SemanticsPrediction:
    empty = jnp.zeros(len(labels))
    return SemanticsPrediction(
        jnp.asarray(labels), jnp.asarray(confidence), empty, None, empty, empty
    )


def test_unsure_answers_are_none():
    prediction = _prediction([3, 0, 2], [0.4, 0.5, 0.9])
    np.testing.assert_array_equal(prediction.answers(0.0), [3, 0, 2])
    np.testing.assert_array_equal(prediction.answers(0.5), [UNSURE, 0, 2])
    np.testing.assert_array_equal(prediction.answers(1.0), [UNSURE, UNSURE, UNSURE])
    assert prediction.answers(0.5).dtype == np.int32


@pytest.mark.parametrize("bound", [-0.1, 1.5, float("nan")])
def test_a_bound_outside_of_probabilities_is_refused(bound):
    with pytest.raises(ValueError, match=rf"min_confidence is {bound}; it must lie in \[0, 1\]"):
        _prediction([1], [0.5]).answers(bound)
