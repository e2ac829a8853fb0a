"""Distances against pytorch-fid and closed forms; statistics against NumPy's on all at once."""

import dataclasses
import pathlib

import jax
import numpy as np
import pytest
from hypothesis import given, strategies as st
from jax.experimental import multihost_utils

from symmflow_jax.metrics.features import FeatureFunction
from symmflow_jax.metrics.frechet import (
    FeatureStatistics,
    Gaussian,
    StatisticsError,
    frechet_distance,
    load_statistics,
    save_statistics,
)

REFERENCE = pathlib.Path(__file__).parents[1] / "fixtures" / "distances.npz"
FUNCTION = FeatureFunction("inception", "0123abcd", 4, lambda weights, images: images, None)


@pytest.mark.parametrize("name", ["regular", "singular", "one_singular"])
def test_distances_are_those_of_pytorch_fid(name):
    arrays = np.load(REFERENCE)
    laws = [
        FeatureStatistics.from_features(arrays[f"{name}/{which}"]).gaussian()
        for which in ("first", "second")
    ]
    assert frechet_distance(*laws) == pytest.approx(float(arrays[f"{name}/frechet"]), rel=1e-6)
    assert frechet_distance(*laws[::-1]) == pytest.approx(frechet_distance(*laws), rel=1e-6)


def test_diagonal_covariances_have_a_closed_form():
    # Independent features: squared distances of means and of standard deviations add up.
    first = Gaussian(np.array([0.0, 1.0, 2.0]), np.diag([1.0, 4.0, 0.0]))
    second = Gaussian(np.array([0.0, 3.0, 1.0]), np.diag([9.0, 4.0, 25.0]))
    assert frechet_distance(first, second) == pytest.approx((4 + 1) + (4 + 0 + 25), rel=1e-12)


def test_a_law_has_no_distance_to_itself_even_if_singular():
    features = np.random.default_rng(0).standard_normal((10, 30))
    law = FeatureStatistics.from_features(features).gaussian()
    assert frechet_distance(law, law) == pytest.approx(0, abs=1e-6)


def test_features_of_two_sizes_have_no_distance():
    with pytest.raises(ValueError, match="Features of 2 and 3 dimensions"):
        frechet_distance(Gaussian(np.zeros(2), np.eye(2)), Gaussian(np.zeros(3), np.eye(3)))


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 9), min_size=1, max_size=6))
def test_batches_merge_to_the_statistics_of_all_at_once(seed, sizes):
    rng = np.random.default_rng(seed)
    batches = [rng.standard_normal((size + 2, 3)).astype(np.float32) + 1000 for size in sizes]
    padded = [np.concatenate([batch, np.full((4, 3), np.nan, np.float32)]) for batch in batches]
    total = FeatureStatistics.empty(3)
    for batch, rows in zip(batches, padded, strict=True):
        valid = np.arange(len(rows)) < len(batch)
        total = total.merge(FeatureStatistics.from_features(rows, valid))
    everything = np.concatenate(batches).astype(np.float64)
    law = total.gaussian()
    assert total.count == len(everything)
    np.testing.assert_allclose(law.mean, everything.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(law.covariance, np.cov(everything, rowvar=False), atol=1e-10)


def test_padding_alone_changes_nothing():
    some = FeatureStatistics.from_features(np.ones((3, 2)))
    padding = FeatureStatistics.from_features(np.full((4, 2), np.nan), np.zeros(4, bool))
    for total in (some.merge(padding), padding.merge(some)):
        assert total.count == 3
        np.testing.assert_array_equal(total.mean, [1, 1])
        np.testing.assert_array_equal(total.scatter, np.zeros((2, 2)))
    assert padding.merge(padding).count == 0


def test_processes_lose_no_digits(monkeypatch):
    """Two processes, with an exchange that keeps 32 bits of a number as devices do."""
    rng = np.random.default_rng(0)
    batches = [rng.standard_normal((size, 3)) + 1000 for size in (7, 9)]
    parts = [FeatureStatistics.from_features(batch) for batch in batches]
    sent = []

    def exchange(values):
        assert values.dtype.itemsize == 4
        sent.append(values)
        return np.stack(sent)

    monkeypatch.setattr(jax, "process_count", lambda: 2)
    monkeypatch.setattr(multihost_utils, "process_allgather", exchange)
    parts[0].over_processes()
    total = parts[1].over_processes()
    law, everything = total.gaussian(), np.concatenate(batches)
    assert total.count == 16
    np.testing.assert_allclose(law.mean, everything.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(law.covariance, np.cov(everything, rowvar=False), rtol=1e-10)


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match="Features are not finite"):
        FeatureStatistics.from_features(np.array([[1.0, np.inf]]))
    with pytest.raises(ValueError, match="at least two examples, not 1"):
        FeatureStatistics.from_features(np.ones((1, 2))).gaussian()


@pytest.fixture
def statistics():
    return FeatureStatistics.from_features(np.random.default_rng(0).standard_normal((20, 4)))


def test_statistics_survive_a_file(statistics, tmp_path):
    save_statistics(tmp_path / "real.npz", statistics, FUNCTION)
    law = load_statistics(tmp_path / "real.npz", FUNCTION)
    np.testing.assert_array_equal(law.mean, statistics.gaussian().mean)
    np.testing.assert_array_equal(law.covariance, statistics.gaussian().covariance)
    assert np.load(tmp_path / "real.npz")["num_examples"] == 20


def test_statistics_of_other_features_are_refused(statistics, tmp_path):
    path = tmp_path / "real.npz"
    save_statistics(path, statistics, FUNCTION)
    for change in ({"name": "classifier"}, {"weights_hash": "ffff"}):
        other = dataclasses.replace(FUNCTION, **change)
        message = f"real.npz has statistics of inception 0123abcd, .* of {other.name} "
        with pytest.raises(StatisticsError, match=message + other.weights_hash):
            load_statistics(path, other)
    with pytest.raises(StatisticsError, match=r"shape \(4,\) .* but inception has 5 features"):
        load_statistics(path, dataclasses.replace(FUNCTION, num_features=5))


def test_names_of_any_length_are_shown_in_part(statistics, tmp_path):
    save_statistics(tmp_path / "real.npz", statistics, FUNCTION)
    values = dict(np.load(tmp_path / "real.npz")) | {"feature_function": np.asarray("x" * 5_000)}
    np.savez(tmp_path / "real.npz", **values)
    with pytest.raises(StatisticsError) as error:
        load_statistics(tmp_path / "real.npz", FUNCTION)
    assert "x" * 300 + ", but features are of" in str(error.value)


def test_files_of_pytorch_fid_are_inception_statistics(statistics, tmp_path):
    path = tmp_path / "coco.npz"
    mean, covariance = statistics.gaussian()
    np.savez_compressed(path, mu=mean, sigma=covariance.astype(np.float32))
    law = load_statistics(path, FUNCTION)
    assert law.covariance.dtype == np.float64
    np.testing.assert_array_equal(law.mean, mean)
    with pytest.raises(StatisticsError, match="coco.npz has statistics of inception"):
        load_statistics(path, dataclasses.replace(FUNCTION, name="classifier"))


def test_files_without_statistics_are_refused(tmp_path):
    with pytest.raises(StatisticsError, match="no file of feature statistics .*absent.npz"):
        load_statistics(tmp_path / "absent.npz", FUNCTION)
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04 and no more")
    np.savez(tmp_path / "other.npz", images=np.zeros(2))
    for name in ("cut.npz", "other.npz"):
        with pytest.raises(StatisticsError, match=f"{name} is no file of feature statistics"):
            load_statistics(tmp_path / name, FUNCTION)


@pytest.mark.parametrize("value", [np.nan, np.inf, "text", 1j])
def test_statistics_that_are_no_finite_numbers_are_refused(statistics, tmp_path, value):
    mean, covariance = statistics.gaussian()
    np.savez(tmp_path / "real.npz", mu=np.full(len(mean), value), sigma=covariance)
    with pytest.raises(StatisticsError, match=r"real\.npz .* is not of finite floats"):
        load_statistics(tmp_path / "real.npz", FUNCTION)
