"""The mixture of Gaussians: its law is fixed, and its posterior is that of what is drawn."""

import numpy as np
import pytest

from symmflow_jax.data.sources.synthetic import gaussian_mixture
from symmflow_jax.data.sources.synthetic.gaussian_mixture import GaussianMixture


def _points_and_labels(size: int, seed: int = 0):
    source = GaussianMixture(size, "test", seed)
    elements = [source[index] for index in range(size)]
    return np.stack([e["image"] for e in elements]), np.stack([e["label"] for e in elements])


@pytest.fixture(scope="module")
def drawn():
    """Exact samples in equal parts of all classes."""
    labels = np.arange(40_000) % gaussian_mixture.NUM_CLASSES
    return gaussian_mixture.draw(np.random.default_rng(0), labels), labels


def test_classes_are_balanced_and_points_of_unit_size(drawn):
    points, _ = drawn
    assert np.abs(points.mean(axis=0)).max() < 0.03
    assert np.all((points.std(axis=0) > 0.7) & (points.std(axis=0) < 1.1))
    assert np.bincount(_points_and_labels(80)[1]).tolist() == [10] * 8


def test_the_law_does_not_depend_on_the_run():
    means = []
    for seed in (1, 2):
        points, labels = _points_and_labels(1_600, seed)
        means.append([points[labels == label].mean(axis=0) for label in range(8)])
    # Of 200 points, whose means scatter by 0.07; the classes' own lie farther apart.
    assert np.abs(np.subtract(*means)).max() < 0.35
    first = np.asarray(means[0])
    assert np.linalg.norm(first[:, None] - first[None], axis=-1)[~np.eye(8, dtype=bool)].min() > 0.8


def test_probabilities_are_the_shares_of_what_is_drawn(drawn):
    """Among points of which a class is said to have some probability, it has that share."""
    points, labels = drawn
    probabilities = gaussian_mixture.posterior(points)
    assert probabilities.shape == (len(points), 8)
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1.0)
    is_class = labels[:, None] == np.arange(8)
    for low in np.arange(0.0, 1.0, 0.1):
        chosen = (probabilities >= low) & (probabilities < low + 0.1)
        error = probabilities[chosen].mean() - is_class[chosen].mean()
        assert abs(error) < 5 * 0.5 / np.sqrt(chosen.sum())


def test_the_best_accuracy_is_as_documented(drawn):
    points, labels = drawn
    accuracy = np.mean(gaussian_mixture.posterior(points).argmax(axis=-1) == labels)
    assert accuracy == pytest.approx(0.80, abs=0.01)


def test_a_class_is_no_single_gaussian(drawn):
    """Along the line between the means of its halves, a class has two peaks: a low kurtosis."""
    points, labels = drawn
    for label in range(8):
        own = points[labels == label].astype(np.float64)
        own -= own.mean(axis=0)
        _, axes = np.linalg.eigh(np.cov(own.T))
        along = own @ axes[:, -1]
        assert np.mean(along**4) / np.mean(along**2) ** 2 < 2.7


def test_posteriors_take_any_leading_axes(drawn):
    points, _ = drawn
    table = gaussian_mixture.posterior(points[:6].reshape(2, 3, 16))
    np.testing.assert_allclose(table.reshape(6, 8), gaussian_mixture.posterior(points[:6]))
    far = gaussian_mixture.posterior(np.full((16,), 1e3, np.float32))
    assert np.isfinite(far).all() and far.sum() == pytest.approx(1.0)
