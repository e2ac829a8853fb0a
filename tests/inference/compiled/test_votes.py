"""Votes against a count of each label."""

import collections
import math

import jax.numpy as jnp
import numpy as np
from hypothesis import given, strategies as st

from symmflow_jax.inference.compiled.votes import vote


# Every number of draws is a program of its own.
@given(
    st.sampled_from((1, 2, 5, 9)).flatmap(
        lambda n: st.lists(st.integers(0, 3), min_size=n, max_size=n)
    )
)
def test_the_most_frequent_label_wins(draws):
    outcome = vote(jnp.asarray(draws)[:, None])
    counts = collections.Counter(draws)
    assert counts[int(outcome.labels[0])] == max(counts.values())
    shares = [count / len(draws) for count in counts.values()]
    expected = -sum(share * math.log(share) for share in shares)
    np.testing.assert_allclose(outcome.entropy, [expected], atol=1e-6)


def test_every_pixel_votes_for_itself():
    draws = jnp.asarray([[[0, 1], [2, 2]], [[0, 1], [1, 2]], [[0, 3], [1, 2]]])
    outcome = vote(draws)
    np.testing.assert_array_equal(outcome.labels, [[0, 1], [1, 2]])
    np.testing.assert_array_equal(outcome.entropy > 0, [[False, True], [True, False]])
    assert not np.signbit(outcome.entropy).any()  # Tables would show "-0.0000".
