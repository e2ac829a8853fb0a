"""Ranges: their ends, and what is in none of them."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from symmflow_jax.config.schema.ranges import (
    LARGEST,
    OneOf,
    Range,
    above,
    at_least,
    between,
    check,
    check_count,
    from_to_below,
)

_RANGES = [Range(), at_least(1), above(0), between(0, 1), from_to_below(0, 1)]


@pytest.mark.parametrize("allowed", [*_RANGES, OneOf((1, 3))])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_in_no_range(allowed, value):
    assert value not in allowed


@pytest.mark.parametrize(
    ("allowed", "inside", "outside", "words"),
    [
        (Range(), [-1e30, 0, 1e30], [], "a finite number"),
        (at_least(1), [1, 2, LARGEST, 1e12], [0, 0.999, LARGEST + 1], "at least 1"),
        (above(0), [5e-324, 1.0], [0.0, -0.0, -1.0], "above 0"),
        (between(0, 1), [0, 1, 0.5], [-1e-9, 1.0000001], "at least 0 and at most 1"),
        (from_to_below(0, 1), [0, 0.999], [1.0, 1, -1], "at least 0 and below 1"),
        (between(0, 2**32 - 1), [2**32 - 1], [2**32, -1], "at least 0 and at most 4294967295"),
        (OneOf((1, 3)), [1, 3], [0, 2, 4], "1 or 3"),
    ],
)
def test_ends_are_inside_unless_they_are_open(allowed, inside, outside, words):
    assert all(value in allowed for value in inside)
    assert not any(value in allowed for value in outside)
    assert str(allowed) == words


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(allow_nan=False))
def test_a_range_is_the_numbers_between_its_ends(low, width, value):
    allowed = between(low, low + width)
    assert (value in allowed) == (low <= value <= low + width)


def test_the_message_names_the_value_and_the_range():
    with pytest.raises(ValueError, match=r"^x is 0; it must be at least 1\.$"):
        check("x", (2, 0), at_least(1))
    with pytest.raises(ValueError, match=r"^x is \(2, 0\); each number must be at least 1\.$"):
        check("x", (2, 0), at_least(1), given=(2, 0))
    with pytest.raises(ValueError, match="it must be at least 1 and at most 2147483647"):
        check("x", (10**400,), at_least(1))
    with pytest.raises(ValueError, match=r"^x is inf; it must be finite, above 0\.$"):
        check("x", (math.inf,), above(0))
    check("x", (1, 2), at_least(1))


@pytest.mark.parametrize("value", [0, -1, 2.0, "3", True, None, math.nan])
def test_a_count_is_a_positive_whole_number(value):
    with pytest.raises(ValueError, match="num_steps is .*; it must be .*at least 1"):
        check_count("num_steps", value)


def test_whole_numbers_of_numpy_count():
    check_count("num_steps", np.int64(1))
