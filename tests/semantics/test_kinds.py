"""The two kinds of semantics."""

import pytest

from symmflow_jax.semantics.kinds import SemanticsKind


@pytest.mark.parametrize(("key", "task"), [("mask", "segmentation"), ("label", "classification")])
def test_a_kind_is_the_key_of_an_element_and_names_its_task(key, task):
    kind = SemanticsKind(key)
    assert {key: "there"}[kind] == "there"
    assert kind.task == task


def test_every_kind_has_a_task_of_its_own():
    assert len({kind.task for kind in SemanticsKind}) == len(SemanticsKind)
