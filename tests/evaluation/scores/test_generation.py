"""Scores of generated images, with answers that are known."""

import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.evaluation.scores import generation
from symmflow_jax.flow.guidance import NO_GUIDANCE
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.runge_kutta import EULER
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.compiled.predictions import Generation, SemanticsPrediction


@pytest.fixture
def scores(striped, evaluated, monkeypatch):
    """A function from a score to its values, of a method that knows little.

    It reads the left half of black pictures as wall and the right half as stripe, and all of
    others as wall; it makes wall white and stripe black.
    """

    def predict_semantics(method, weights, key, example_index, image, solve):
        black = jnp.max(image.values, axis=(1, 2, 3)) == 0
        halves = jnp.broadcast_to(jnp.arange(8) // 4, image.values.shape[:3])
        labels = jnp.where(black[:, None, None], halves, 0).astype(jnp.int32)
        ones = jnp.ones(labels.shape)
        return SemanticsPrediction(labels, ones, ones, None, ones, jnp.ones(len(labels), jnp.int32))

    def generate(method, weights, key, positions, labels, solve, guidance):
        grey = jnp.where(labels == 0, 255, 0).astype(jnp.uint8)[..., None]
        images = jnp.broadcast_to(grey, (*labels.shape, 3))
        return Generation(images, jnp.full(len(labels), 4, jnp.int32))

    monkeypatch.setattr(predictions, "predict_semantics", predict_semantics)
    monkeypatch.setattr(predictions, "generate", generate)

    def measure(score):
        evaluator = striped()
        protocol = evaluator.protocol("generation", evaluated, 0, solver="euler", num_steps=4)
        found = score(evaluator, evaluated, FixedSteps(EULER, 4), NO_GUIDANCE, protocol, 0)
        assert (found.num_examples, found.nfe) == (3, 4)
        assert found.protocol.scored_size == "model"
        return found.values

    return measure


def test_agreement_is_with_the_conditions(scores):
    values = scores(generation.agreement)
    # Pictures of stripes are not black, so that all is read as wall, and a quarter is stripes.
    assert values["agreement_pixel_accuracy"] == 0.75
    assert values["agreement_miou"] == pytest.approx(0.75 / 2)


def test_a_cycle_compares_both_images_and_both_readings(scores):
    values = scores(generation.cycle)
    # The left half comes back white, 2 off, and the right one black, as it was.
    assert values["cycle_rmse"] == pytest.approx(np.sqrt(2))
    # First half wall and half stripe, then all wall, whatever the masks are.
    assert values["cycle_pixel_accuracy"] == 0.5
    assert values["cycle_miou"] == pytest.approx((0.5 + 0) / 2)
