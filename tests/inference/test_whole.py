"""Masks of images of any size."""

import jax
import numpy as np
import pytest
from PIL.Image import Resampling

from symmflow_jax.flow.solvers.fixed_steps import euler
from symmflow_jax.inference import predictions
from symmflow_jax.inference.whole import read_masks

pytestmark = pytest.mark.usefixtures("standard_dtype_promotion")


def test_masks_have_the_size_of_their_images_after_one_compilation(random_model):
    model = random_model(**{"semantics.encoding": "onehot"})
    sizes = ((8, 8), (16, 24), (5, 3))
    images = [np.full((*size, 3), 40 * i, np.uint8) for i, size in enumerate(sizes)]
    before = predictions.predict_semantics._cache_size()
    readings = read_masks(
        model.method,
        model.weights,
        iter(images),
        jax.random.key(0),
        euler(1),
        1,
        resampling=Resampling.BICUBIC,
        with_probabilities=True,
        batch_size=2,
    )
    for reading, size in zip(readings, sizes, strict=True):
        assert reading.labels.shape == reading.confidence.shape == reading.entropy.shape == size
        assert reading.labels.dtype == np.int32
        assert reading.probabilities.shape == (*size, 5)
        np.testing.assert_array_equal(reading.probabilities.argmax(-1), reading.labels)
        np.testing.assert_allclose(reading.probabilities.max(-1), reading.confidence, rtol=1e-5)
    assert predictions.predict_semantics._cache_size() == before + 1
