"""Parts of one folder: by share and by folds."""

import random

import pytest

from symmflow_jax.data.selection import Parts
from symmflow_jax.data.source import DataError

NAMES = [f"{number}.png" for number in range(40)]


def _both(parts, names=NAMES):
    return [parts.chosen(names, train=train) for train in (True, False)]


@pytest.mark.parametrize("share", [0.01, 0.1, 0.25, 0.5])
def test_a_share_is_held_out(share):
    train, held = _both(Parts(share))
    assert len(held) == max(1, round(40 * share))
    assert sorted([*train, *held]) == list(range(40)) and list(train) == sorted(train)


@pytest.mark.parametrize("folds", [2, 3, 7, 40])
def test_each_example_is_in_one_fold(folds):
    held = [Parts(folds=folds, fold=fold).chosen(NAMES, train=False) for fold in range(folds)]
    assert sorted(index for fold in held for index in fold) == list(range(40))
    assert max(map(len, held)) - min(map(len, held)) <= 1
    train = Parts(folds=folds, fold=1).chosen(NAMES, train=True)
    assert set(train) == set(range(40)) - set(held[1])


def test_the_choice_is_by_name_and_seed():
    names = random.Random(0).sample(NAMES, 40)
    parts = Parts(0.25)
    held = {NAMES[index] for index in parts.chosen(NAMES, train=False)}
    assert {names[index] for index in parts.chosen(names, train=False)} == held
    other = {NAMES[index] for index in Parts(0.25, seed=1).chosen(NAMES, train=False)}
    assert other != held
    # A further file pushes out few of those that were chosen before.
    more = [*NAMES, *(f"new{number}.png" for number in range(4))]
    kept = {more[index] for index in parts.chosen(more, train=False)} & held
    assert len(kept) >= 8


def test_a_split_has_examples():
    with pytest.raises(DataError, match="1 examples in val_share=0.5 .* leave none for training"):
        Parts(0.5).chosen(["a"], train=True)
    with pytest.raises(DataError, match="2 examples in 3 folds .*leave none for evaluation"):
        _both(Parts(folds=3, fold=0), ["a", "b"])
