"""Shares of the parts of the training data."""

import pytest

from symmflow_jax.data.mixing.mixture import ALONE, Mixture, Part
from symmflow_jax.flow.state import JointState


def test_the_shares_of_components_are_those_of_the_parts_that_have_them():
    incomplete = Part(range(4), 0.4, JointState(0.75, 0.25))
    extra = Part(range(2), 0.1)
    mixture = Mixture((incomplete, extra))
    assert mixture.share_of_split == pytest.approx(0.5)
    assert mixture.has_incomplete and not Mixture((extra,)).has_incomplete
    assert tuple(mixture.shares) == pytest.approx((1 - 0.4 * 0.25, 1 - 0.4 * 0.75))


def test_a_split_alone_has_everything():
    assert ALONE.shares == JointState(1.0, 1.0) and ALONE.share_of_split == 1.0
