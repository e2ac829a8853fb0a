"""The two-spirals toy."""

import numpy as np

from symmflow_jax.data.sources.synthetic.spirals import Spirals


def points_and_labels(spirals):
    elements = [spirals[index] for index in range(len(spirals))]
    return np.stack([e["image"] for e in elements]), np.stack([e["label"] for e in elements])


def test_points_are_balanced_centred_and_bounded():
    points, labels = points_and_labels(Spirals(4_000, "train", seed=0))
    assert np.mean(labels) == 0.5
    assert np.abs(points).max() < 1.55
    assert np.abs(points.mean(axis=0)).max() < 0.05
    assert np.all((points.std(axis=0) > 0.6) & (points.std(axis=0) < 1.0))


def test_spirals_are_half_a_turn_of_each_other():
    points, labels = points_and_labels(Spirals(4_000, "train", seed=0))
    turned, others = -points[labels == 0], points[labels == 1]
    distances = np.linalg.norm(turned[::10, None] - others[None], axis=-1).min(axis=1)
    assert distances.max() < 0.15


def test_nearest_neighbours_tell_the_spirals_apart():
    points, labels = points_and_labels(Spirals(2_000, "train", seed=0))
    queries, truth = points_and_labels(Spirals(2_000, "test", seed=0))
    squares = (queries**2).sum(1)[:, None] - 2 * queries @ points.T + (points**2).sum(1)
    nearest = labels[np.argmin(squares, axis=1)]
    assert np.mean(nearest == truth) >= 0.999


def test_a_straight_line_does_not_tell_them_apart():
    points, labels = points_and_labels(Spirals(2_000, "train", seed=0))
    design = np.column_stack([points, np.ones(len(points))])
    weights, *_ = np.linalg.lstsq(design, 2.0 * labels - 1.0, rcond=None)
    assert np.mean((design @ weights > 0) == labels) < 0.8
