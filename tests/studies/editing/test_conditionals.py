"""Exact conditionals of the mixture against its own points."""

import numpy as np

from symmflow_jax.data.sources.synthetic import gaussian_mixture
from symmflow_jax.metrics.energy_distance import energy_distance
from symmflow_jax.studies.editing import conditionals

_KNOWN = conditionals.NUM_KNOWN


def test_known_coordinates_with_their_draws_are_points_of_the_class():
    rng, label, count = np.random.default_rng(0), 2, 1500
    points = gaussian_mixture.draw(rng, np.full(count, label))
    known = points[:, :_KNOWN]
    drawn = np.concatenate([conditionals.draw(rng, label, one, 1) for one in known])
    again = np.concatenate([known, drawn], axis=1)
    others = gaussian_mixture.draw(rng, np.full(count, label))
    assert abs(energy_distance(again, others)) < 0.005
    # Draws that belong to the known coordinates of other points do not.
    shuffled = np.concatenate([known, rng.permutation(drawn)], axis=1)
    assert energy_distance(shuffled, others) > 0.015


def test_a_conditional_depends_on_the_known_coordinates():
    rng = np.random.default_rng(0)
    first, second = gaussian_mixture.draw(rng, np.asarray([0, 0]))[:, :_KNOWN]
    draws = [conditionals.draw(rng, 0, known, 500) for known in (first, second, first)]
    assert energy_distance(draws[0], draws[2]) < 0.02 < energy_distance(draws[0], draws[1])
    assert draws[0].shape == (500, gaussian_mixture.POINT_SIZE - _KNOWN)
