import itertools
import pathlib

import numpy as np
import pytest
from hypothesis import given, strategies as st

from symmflow_jax.metrics.kernel_distance import kernel_distance, squared_discrepancy

REFERENCE = pathlib.Path(__file__).parents[1] / "fixtures" / "distances.npz"


@pytest.mark.parametrize("name", ["regular", "singular", "one_singular"])
def test_discrepancies_are_those_of_torchmetrics(name):
    arrays = np.load(REFERENCE)
    first, second = arrays[f"{name}/first"], arrays[f"{name}/second"]
    count = min(len(first), len(second))  # torchmetrics compares sets of one size.
    value = squared_discrepancy(first[:count], second[:count])
    assert value == pytest.approx(float(arrays[f"{name}/kernel"]), rel=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.integers(2, 4))
def test_small_samples_are_right_on_average(seed, num_first, num_second):
    """The mean over all subsets is the value of the whole, of which a biased one is no mean."""
    rng = np.random.default_rng(seed)
    first, second = rng.standard_normal((5, 3)), rng.standard_normal((6, 3)) + 1
    values = [
        squared_discrepancy(first[list(rows)], second[list(columns)])
        for rows in itertools.combinations(range(5), num_first)
        for columns in itertools.combinations(range(6), num_second)
    ]
    assert np.mean(values) == pytest.approx(squared_discrepancy(first, second), rel=1e-9)


def test_the_seed_alone_decides_the_subsets():
    rng = np.random.default_rng(0)
    first, second = rng.standard_normal((40, 3)), rng.standard_normal((30, 3))
    once, again, other = (
        kernel_distance(first, second, seed=seed, num_subsets=7, subset_size=10)
        for seed in (1, 1, 2)
    )
    assert once == again != other
    assert once.std > 0


def test_subsets_of_everything_are_all_the_same():
    rng = np.random.default_rng(0)
    first, second = rng.standard_normal((2, 12, 3)).astype(np.float32)
    distance = kernel_distance(first, second, seed=0, num_subsets=3, subset_size=12)
    assert distance.mean == pytest.approx(squared_discrepancy(first, second), rel=1e-9)
    assert distance.std == pytest.approx(0, abs=1e-12)


def test_farther_sets_have_a_larger_distance():
    rng = np.random.default_rng(0)
    real, same = rng.standard_normal((2, 400, 8))
    near, far = (
        kernel_distance(real, same + shift, seed=0, num_subsets=20, subset_size=100).mean
        for shift in (0.5, 1.0)
    )
    same_distance = kernel_distance(real, same, seed=0, num_subsets=20, subset_size=100)
    assert abs(same_distance.mean) < 0.1 * near < 0.1 * far


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="A subset of 1000 examples cannot be drawn from 6"):
        kernel_distance(np.ones((6, 2)), np.ones((2000, 2)), seed=0)
    with pytest.raises(ValueError, match="The mean over 0 subsets"):
        kernel_distance(np.ones((6, 2)), np.ones((6, 2)), seed=0, num_subsets=0, subset_size=3)
    with pytest.raises(ValueError, match="Features of 2 and 3 dimensions"):
        squared_discrepancy(np.ones((6, 2)), np.ones((6, 3)))
