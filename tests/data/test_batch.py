"""A batch of examples as one tree of arrays."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.data.batch import Batch, Moments, Pixels, Points, Signals

_VALUES = np.arange(12, dtype=np.float32).reshape(3, 4)


def _batch(kind=Points, **fields) -> Batch:
    labels, index = np.array([2, 0, 1], np.int32), np.array([5, 6, 7], np.int32)
    return Batch(kind(_VALUES), labels, index, **fields)


def test_the_size_is_the_number_of_examples():
    assert _batch().size == 3


@pytest.mark.parametrize("kind", [Pixels, Signals, Points, Moments])
def test_images_keep_their_type_through_trees_programs_and_changes(kind):
    batch = _batch(kind)
    first = jax.tree.map(lambda array: array[:1], batch)
    assert isinstance(first.image, kind) and first.size == 1
    np.testing.assert_array_equal(first.image.values, [[0, 1, 2, 3]])
    doubled = jax.jit(lambda batch: batch.with_images(2.0 * batch.image.values))(batch)
    assert isinstance(doubled.image, kind)
    np.testing.assert_array_equal(doubled.image.values, 2.0 * _VALUES)
    np.testing.assert_array_equal(doubled.labels, batch.labels)


def test_other_types_of_images_are_other_trees():
    structures = {jax.tree.structure(_batch(kind)) for kind in (Pixels, Signals, Points, Moments)}
    assert len(structures) == 4


def test_what_a_batch_does_not_have_is_no_leaf():
    assert len(jax.tree.leaves(_batch())) == 3
    valid = jnp.array([True, False, True])
    masks = [np.zeros((2, 2), np.int32), np.zeros((3, 1), np.int32), np.zeros((1, 1), np.int32)]
    assert len(jax.tree.leaves(_batch(valid=valid, original_labels=masks))) == 7


def test_arrays_by_name():
    arrays = _batch().to_arrays()
    assert arrays.keys() == {"image", "labels", "example_index"}
    np.testing.assert_array_equal(arrays["image"], _VALUES)
    np.testing.assert_array_equal(arrays["example_index"], [5, 6, 7])
