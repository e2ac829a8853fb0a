"""The pairs that agree best with the model's own reading."""

import types

import jax
import numpy as np
import pytest

from symmflow_jax.inference.compiled.predictions import Sample
from symmflow_jax.inference.files.best_pairs import RankedPair, agreements, best, contact_sheet
from symmflow_jax.semantics.labels import consecutive


def _pairs(*values: float) -> list[RankedPair]:
    image, mask = np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.int32)
    return [RankedPair(number, image, mask, value) for number, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "count", "kept"),
    [
        ((0.1, 0.9, 0.5, 0.7), 2, [1, 3]),
        ((0.5, 0.5, 0.5), 2, [0, 1]),
        ((0.9, 0.1, 0.2, 0.3, 0.8, 0.85, 0.05), 3, [0, 4, 5]),
        ((0.3,), 1, [0]),
    ],
)
def test_the_best_are_kept_in_the_order_of_their_making(values, count, kept):
    assert [pair.number for pair in best(iter(_pairs(*values)), count)] == kept


def _model(**result):
    """A model that reads what it is told."""
    found = types.SimpleNamespace(**{"probabilities": None, "confidence": None} | result)
    return types.SimpleNamespace(predict_semantics=lambda images, key: found)


def test_a_mask_agrees_by_its_pixels():
    made = np.array([[[0, 1], [2, 2]], [[1, 1], [1, 1]]])
    read = np.array([[[0, 1], [2, 0]], [[0, 0], [0, 0]]])
    found = agreements(_model(labels=read), Sample(np.zeros((2, 2, 2, 3)), made), jax.random.key(0))
    np.testing.assert_allclose(found, [0.75, 0.0])


def test_a_label_agrees_by_its_probability_or_confidence():
    made, images = np.array([1, 0]), np.zeros((2, 4, 4, 1))
    probabilities = np.array([[0.2, 0.8], [0.3, 0.7]])
    known = _model(labels=np.array([1, 1]), probabilities=probabilities)
    np.testing.assert_allclose(
        agreements(known, Sample(images, made), jax.random.key(0)), [0.8, 0.3]
    )
    sure = _model(labels=np.array([1, 1]), confidence=np.array([0.9, 0.6]))
    np.testing.assert_allclose(
        agreements(sure, Sample(images, made), jax.random.key(0)), [0.9, 0.4]
    )


def test_the_sheet_has_images_beside_masks():
    schema = consecutive(("a", "b"))
    few, many = (contact_sheet(_pairs(*[0.5] * count), schema) for count in (2, 100))
    assert few.shape[1] < many.shape[1] and few.ndim == 3
    # It ends with the first 48, six pairs in a row.
    rows = many.shape[0] / few.shape[0]
    assert rows == pytest.approx(8, abs=0.5)
