"""Scores of answers that are known."""

import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.evaluation.scores import recognition
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.runge_kutta import EULER
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.compiled.predictions import SemanticsPrediction


@pytest.fixture
def scores(striped, evaluated, monkeypatch):
    """A function from the evaluation's ignored id to what is measured of answers of walls only."""

    def see_walls(method, weights, key, example_index, image, solve, ensemble_size):
        labels = jnp.zeros(image.values.shape[:3], jnp.int32)
        # The upper half is surer; it holds one of the two stripes, like the lower half.
        confidence = jnp.broadcast_to(
            jnp.repeat(jnp.asarray([0.9, 0.6]), 4)[None, :, None], labels.shape
        )
        nfe = jnp.ones(len(labels), jnp.int32)
        return SemanticsPrediction(labels, confidence, confidence, None, confidence, nfe)

    monkeypatch.setattr(predictions, "predict_semantics", see_walls)

    def measure(ignored_id):
        evaluator = striped(**{"data.ignored_id": ignored_id})
        protocol = evaluator.protocol("segmentation", evaluated, 0, solver="euler", num_steps=1)
        once = FixedSteps(EULER, 1)
        return recognition.predict_semantics(evaluator, evaluated, once, protocol, num_examples=0)

    return measure


def test_every_pixel_is_calibrated(scores):
    found = scores(None)
    values = found.scores[0].values
    assert found.answers.count.sum() == 3 * 64
    assert values["pixel_accuracy"] == 0.75
    # Three quarters of either half are right: |0.9 - 0.75| / 2 + |0.6 - 0.75| / 2.
    assert values["calibration_error"] == pytest.approx(0.15)
    # Confidence says nothing here, and the risk is the same at each coverage.
    assert values["aurc"] == pytest.approx(0.25)
    curve = found.answers.risk_coverage()
    np.testing.assert_allclose(curve.coverage, [0.5, 1.0])
    np.testing.assert_allclose(curve.risk, [0.25, 0.25])


def test_pixels_of_ignored_classes_do_not_count(scores):
    found = scores(1)
    values = found.scores[0].values
    assert found.answers.count.sum() == 3 * 48
    assert values["calibration_error"] == pytest.approx((0.1 + 0.4) / 2)
    assert values["aurc"] == 0.0
