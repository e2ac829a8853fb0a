"""Chains of sources, and what a source found without a partner."""

import pytest

from symmflow_jax.data.mixing.incomplete import Chain, Incomplete, incomplete_of
from symmflow_jax.flow.state import JointState


class _Names:
    schemas = {}

    def __init__(self, *names):
        self.files = names

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError
        return {"image": self.files[index]}


def test_a_chain_has_one_source_after_the_other():
    chain = Chain((_Names("a", "b"), _Names("c"), _Names("d", "e")))
    assert [chain[i]["image"] for i in range(len(chain))] == list("abcde")
    assert chain.files == tuple("abcde")
    with pytest.raises(IndexError):
        chain[5]


def test_most_sources_look_for_no_incomplete_examples():
    source = _Names("a")
    assert incomplete_of(source) is None
    source.incomplete = Incomplete(_Names("b"), JointState(1.0, 0.0))
    assert incomplete_of(source).source.files == ("b",)
