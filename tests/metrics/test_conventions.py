"""Conventions of scores."""

import dataclasses

from symmflow_jax.metrics.conventions import OURS, PUBLISHED


def test_the_published_conventions_differ_from_ours_in_every_point():
    ours, published = dataclasses.asdict(OURS), dataclasses.asdict(PUBLISHED)
    assert all(published[key] != value for key, value in ours.items())
    assert (ours["name"], published["name"]) == ("ours", "published")
