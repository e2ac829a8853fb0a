import collections

import grain
import numpy as np
import pytest

from symmflow_jax.data.augmentation.rare_classes import ShownByWeight, repeat_factors

# Four examples: class 0 in all of them, class 1 in one, class 2 in two of them.
_TABLE = np.array([[5, 0, 0], [9, 2, 1], [4, 0, 0], [3, 0, 7]])


def test_rare_classes_have_the_factors_of_lvis():
    # sqrt(1 / 0.25) = 2 and sqrt(1 / 0.5) = 1.414.
    np.testing.assert_allclose(repeat_factors(_TABLE, 1.0), [1.0, 2.0, 1.0, 2.0**0.5])
    np.testing.assert_allclose(repeat_factors(_TABLE, 0.5), [1.0, 2.0**0.5, 1.0, 1.0])
    np.testing.assert_array_equal(repeat_factors(_TABLE, 0.25), np.ones(4))


def test_ignored_classes_and_examples_without_classes_do_not_count():
    np.testing.assert_allclose(repeat_factors(_TABLE, 1.0, [1]), [1.0, 2.0**0.5, 1.0, 2.0**0.5])
    empty = np.concatenate([_TABLE, np.zeros((1, 3), int)])
    assert repeat_factors(empty, 1.0)[-1] == 1.0
    np.testing.assert_array_equal(_TABLE[1], [9, 2, 1])  # It is not changed.


def _shown(weights, num_epochs: int, **kwargs) -> list[list[int]]:
    size = len(weights)
    source = grain.MapDataset.source(np.arange(size)).seed(3)
    dataset = ShownByWeight(source, np.asarray(weights)).shuffle(**kwargs).repeat()
    return [[int(dataset[e * size + i]) for i in range(size)] for e in range(num_epochs)]


def test_examples_come_as_often_as_their_weights_say():
    weights = np.array([1.0, 1.0, 1.0, 2.0, 3.5, 1.0, 0.5])
    epochs = _shown(weights, 60)
    counts = collections.Counter(number for epoch in epochs for number in epoch)
    expected = 60 * 7 * weights / weights.sum()
    np.testing.assert_allclose([counts[i] for i in range(7)], expected, atol=2.0)
    for epoch in epochs:
        found = np.bincount(epoch, minlength=7)
        assert np.all(np.abs(found - 7 * weights / weights.sum()) < 1.0)


def test_equal_weights_show_each_example_once_an_epoch_in_changing_orders():
    epochs = _shown(np.ones(50), 3)
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_any_place_is_reached_without_those_before():
    weights = np.linspace(1.0, 3.0, 20)
    source = grain.MapDataset.source(np.arange(20)).seed(3)
    dataset = ShownByWeight(source, weights).shuffle().repeat()
    in_order = [int(dataset[i]) for i in range(100)]
    late = dataset[37:100]
    assert [int(late[i]) for i in range(63)] == in_order[37:]
    third = dataset[2:100:3]
    assert [int(third[i]) for i in range(20)] == in_order[2:62:3]


def test_weights_are_of_the_examples():
    with pytest.raises(ValueError, match="3 weights are not of 4 elements"):
        ShownByWeight(grain.MapDataset.source(np.arange(4)), np.ones(3))
