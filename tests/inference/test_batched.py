"""Any number of examples by one compilation."""

import jax
import numpy as np
import pytest

from symmflow_jax.flow.solvers.fixed_steps import euler
from symmflow_jax.inference import batched
from symmflow_jax.inference.batched import generate_each, predict_each
from symmflow_jax.inference.compiled import predictions

_KEY = jax.random.key(0)
_SOLVE = euler(1)

pytestmark = pytest.mark.usefixtures("standard_dtype_promotion")


def test_any_number_of_images_compiles_once_and_gives_what_one_batch_gives(random_model):
    model = random_model()
    images = np.random.default_rng(0).integers(256, size=(5, 8, 8, 3), dtype=np.uint8)
    before = predictions.predict_semantics._cache_size()
    found = {}
    for count in (5, 1, 4):
        found[count] = list(
            predict_each(model.method, model.weights, images[:count], _KEY, _SOLVE, batch_size=4)
        )
        assert len(found[count]) == count
    assert predictions.predict_semantics._cache_size() == before + 1
    whole = model.predict_semantics(images, _KEY)
    labels = np.stack([result.labels for result in found[5]])
    assert np.mean(labels == np.asarray(whole.labels)) > 0.99  # Rounding may decide a tie.
    np.testing.assert_array_equal(found[1][0].labels, labels[0])


def test_images_are_read_as_they_are_needed(random_model):
    model = random_model()
    read = []

    def images():
        for number in range(9):
            read.append(number)
            yield np.full((8, 8, 3), number, np.uint8)

    results = predict_each(model.method, model.weights, images(), _KEY, _SOLVE, batch_size=4)
    next(results)
    assert read == [0, 1, 2, 3]
    assert len(list(results)) == 8 and len(read) == 9


def test_generation_fills_its_batches_too(random_model):
    model = random_model()
    masks = np.random.default_rng(0).integers(5, size=(3, 8, 8)).astype(np.int32)
    before = predictions.generate._cache_size()
    made = list(generate_each(model.method, model.weights, masks, _KEY, _SOLVE, batch_size=2))
    assert len(made) == 3 and made[0].shape == (8, 8, 3) and made[0].dtype == np.uint8
    alone = list(generate_each(model.method, model.weights, masks[:1], _KEY, _SOLVE, batch_size=2))
    np.testing.assert_array_equal(alone[0], made[0])
    assert predictions.generate._cache_size() == before + 1


def test_nothing_gives_nothing(random_model):
    model = random_model()
    assert list(batched.predict_each(model.method, model.weights, [], _KEY, _SOLVE)) == []
