"""Undecided pairs of classes: their shares, and what rounding the mean of their numbers gives."""

import numpy as np
import pytest

from symmflow_jax.data.sources.synthetic import split_posterior
from symmflow_jax.data.sources.synthetic.split_posterior import SplitPosterior


@pytest.fixture(scope="module")
def drawn():
    """Points and labels."""
    source = SplitPosterior(20_000, "test", seed=0)
    elements = [source[index] for index in range(len(source))]
    return np.stack([e["image"] for e in elements]), np.stack([e["label"] for e in elements])


def test_the_best_accuracy_is_reached_by_the_more_probable_class(drawn):
    points, labels = drawn
    assert pytest.approx(0.776, abs=1e-12) == split_posterior.BEST_ACCURACY
    probabilities = split_posterior.posterior(points)
    accuracy = np.mean(probabilities.argmax(axis=-1) == labels)
    assert accuracy == pytest.approx(0.776, abs=0.012)  # Four standard deviations.
    assert probabilities.max(axis=-1).mean() == pytest.approx(split_posterior.BEST_ACCURACY)


def test_shares_are_the_probabilities(drawn):
    points, labels = drawn
    probabilities = split_posterior.posterior(points)
    for row in np.unique(probabilities, axis=0):
        chosen = np.all(probabilities == row, axis=-1)
        assert chosen.sum() == len(points) // 5
        np.testing.assert_allclose(
            np.bincount(labels[chosen], minlength=10) / 4_000, row, atol=0.03
        )
        first, second = np.flatnonzero(row)
        assert second == first + 5


def test_each_cluster_has_probabilities_of_its_own(drawn):
    rows = np.unique(split_posterior.posterior(drawn[0]), axis=0)
    assert len(rows) == 5
    assert len({float(row.max()) for row in rows}) == 5


def test_rounded_means_are_mostly_classes_of_probability_zero(drawn):
    points, labels = drawn
    probabilities = split_posterior.posterior(points)
    rounded = np.round(probabilities @ np.arange(10.0)).astype(int)
    assert np.mean(rounded == labels) == pytest.approx(0.374, abs=0.015)
    impossible = probabilities[np.arange(len(points)), rounded] == 0
    assert np.mean(impossible) == pytest.approx(0.6)


def test_a_class_does_not_change_where_its_points_lie(drawn):
    points, labels = drawn
    for first in range(5):
        of_first, of_second = points[labels == first], points[labels == first + 5]
        spread = 0.3 / np.sqrt(min(len(of_first), len(of_second)))
        assert np.abs(of_first.mean(axis=0) - of_second.mean(axis=0)).max() < 3 * spread


def test_clusters_are_far_apart(drawn):
    points, labels = drawn
    clusters = labels % 5
    assert np.abs(points).max() <= 1.4
    for cluster in range(5):
        own, others = points[clusters == cluster][:200], points[clusters != cluster][:2_000]
        assert np.linalg.norm(own[:, None] - others[None], axis=-1).min() > 0.6


def test_posteriors_take_any_leading_axes(drawn):
    points = drawn[0][:6]
    table = split_posterior.posterior(points.reshape(3, 2, 2))
    np.testing.assert_array_equal(table.reshape(6, 10), split_posterior.posterior(points))
