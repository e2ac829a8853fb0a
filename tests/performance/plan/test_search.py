"""The search for the largest batch."""

import pytest
from hypothesis import given, strategies

from symmflow_jax.performance.plan.search import largest


@given(strategies.integers(1, 10_000), strategies.integers(1, 500))
def test_what_is_found_fits_and_little_more_would(limit, start):
    tried = []

    def fits(count: int) -> bool:
        tried.append(count)
        return count <= limit

    found = largest(fits, start)
    assert found <= limit < found + max(1, found // 16) + 1
    assert len(tried) == len(set(tried)) <= 30


def test_nothing_fits():
    assert largest(lambda count: False, 8) == 0


@pytest.mark.parametrize("limit", [1, 7, 15])
def test_small_limits_are_found_exactly(limit):
    assert largest(lambda count: count <= limit, 4) == limit
