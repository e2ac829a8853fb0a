import tracemalloc

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from symmflow_jax.metrics.energy_distance import energy_distance


def test_point_masses_are_twice_their_distance_apart():
    first, second = np.tile([0.0, 0.0, 1.0], (5, 1)), np.tile([3.0, 4.0, 1.0], (4, 1))
    assert energy_distance(first, second) == pytest.approx(10.0, abs=1e-12)
    assert energy_distance(first, first) == pytest.approx(0.0, abs=1e-12)


def test_small_samples_by_hand():
    first, second = np.array([[0.0], [2.0]]), np.array([[1.0], [4.0], [7.0]])
    # Between: 1 4 7 1 2 5, mean 20/6. Within: 2; and 3 3 6, mean 4.
    assert energy_distance(first, second) == pytest.approx(2 * 20 / 6 - 2 - 4)


def test_numbers_agree_with_scipy_on_large_samples():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=1500), rng.normal(1.0, 2.0, size=2500)
    # SciPy's is the root, and includes the zero distances of points to themselves.
    expected = stats.energy_distance(first, second) ** 2
    found = energy_distance(first[:, None], second[:, None])
    assert found == pytest.approx(expected, abs=0.003)


def test_gaussians_have_the_distance_of_their_laws():
    """X - Y is Gaussian too, and the law of its length is tabulated."""
    size, shift, count = 5, np.array([1.0, -1.0, 0.5, 0.0, 0.0]), 3_000
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(count, size)), rng.normal(size=(count, size)) + shift
    between = np.sqrt(2) * stats.ncx2(size, np.square(shift).sum() / 2).expect(np.sqrt)
    within = np.sqrt(2) * stats.chi(size).mean()
    assert energy_distance(first, second) == pytest.approx(2 * (between - within), abs=0.03)


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(2, 6))
def test_order_and_place_do_not_matter(seed, num_first, num_second):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(num_first, 3)), rng.normal(size=(num_second, 3))
    value = energy_distance(first, second)
    assert energy_distance(second, first) == pytest.approx(value, abs=1e-12)
    assert energy_distance(first + 7.0, second + 7.0) == pytest.approx(value, abs=1e-12)
    assert energy_distance(2.0 * first, 2.0 * second) == pytest.approx(2 * value, abs=1e-12)


def test_samples_of_one_law_are_zero_apart_on_average():
    rng = np.random.default_rng(0)
    values = [energy_distance(*rng.normal(size=(2, 20, 4))) for _ in range(300)]
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values)) < 4 * error  # A biased estimate would be at 0.27.
    assert min(values) < 0 < max(values)


def test_many_points_are_compared_in_parts():
    points = np.random.default_rng(0).normal(size=(6_000, 2)).astype(np.float32)
    tracemalloc.start()
    assert abs(energy_distance(points[:3_000], points[3_000:])) < 0.01
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000 * 3_000 * 8 / 2


def test_bad_input_is_refused():
    points = np.ones((3, 2))
    with pytest.raises(ValueError, match="Points of 2 and 3 numbers"):
        energy_distance(points, np.ones((3, 3)))
    for wrong in (np.ones(3), np.ones((1, 2)), np.ones((3, 0))):
        with pytest.raises(ValueError, match="give two points or more"):
            energy_distance(points, wrong)
    broken = points.copy()
    broken[1, 0] = np.nan
    with pytest.raises(ValueError, match="Point 1 of a sample is not finite"):
        energy_distance(points, broken)
