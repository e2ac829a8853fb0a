"""Counts of batches and of single masks are the same, and padding has no part in them."""

import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.data.batch import Batch, Pixels
from symmflow_jax.evaluation.scores.tally import Tally
from symmflow_jax.inference.compiled.predictions import SemanticsPrediction
from symmflow_jax.semantics.labels import consecutive

# clu divides by an integer count.
pytestmark = pytest.mark.usefixtures("standard_dtype_promotion")

_SCHEMA = consecutive(("sky", "road", "tree"))


def _tally(labels: np.ndarray, predicted: np.ndarray, nfe: list[int], valid: list[bool]) -> Tally:
    index = np.arange(len(labels), dtype=np.int32)
    batch = Batch(
        Pixels(np.zeros((len(labels), 4, 4, 3), np.uint8)), labels, index, np.array(valid)
    )
    blank = jnp.zeros(predicted.shape)
    result = SemanticsPrediction(jnp.asarray(predicted), blank, blank, None, blank, jnp.array(nfe))
    return Tally.of_batch(batch, result, _SCHEMA)


def _counted(tally: Tally) -> list[np.ndarray]:
    overlap = tally.overlap.compute()
    return [tally.counts.compute(), overlap.boundary, overlap.by_image, tally.nfe.compute()]


def test_a_batch_counts_as_its_masks_do_without_padding():
    rng = np.random.default_rng(0)
    labels, predicted = rng.integers(0, 3, (2, 3, 8, 8), dtype=np.int32)
    batch = _tally(labels, predicted, [1, 5, 100], [True, True, False])
    masks = Tally.empty(3)
    for index, nfe in enumerate((1, 5)):
        masks = masks.merge(Tally.of_masks(labels[index], predicted[index], nfe, _SCHEMA))
    for found, expected in zip(_counted(Tally.empty(3).merge(batch)), _counted(masks), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert masks.counts.compute().sum() == 2 * 64 and masks.nfe.compute() == 3


def test_labels_have_counts_and_no_overlap():
    labels, predicted = np.array([0, 1, 1], np.int32), np.array([0, 1, 2], np.int32)
    tally = _tally(labels, predicted, [1, 1, 1], [True] * 3)
    counts, boundary, by_image, nfe = _counted(tally)
    assert counts.tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 0]]
    assert not boundary.any() and not by_image.any()
    assert nfe == pytest.approx(1)
