"""Scenes in memory."""

import numpy as np

from symmflow_jax.studies.mixed.scenes import Scenes


def test_scenes_lose_their_masks_or_get_others(tiny_experiment):
    experiment = tiny_experiment()
    scenes = Scenes.drawn(experiment, experiment.training_source, 3)
    assert scenes.images.shape == (3, 8, 8, 3) and scenes.masks.shape == (3, 8, 8)
    alone = scenes.without_masks()
    assert len(alone) == 3 and list(alone[1]) == ["image"] and alone.schemas == {}
    np.testing.assert_array_equal(alone[1]["image"], scenes.images[1])
    others = scenes.with_masks(np.arange(3)[:, None, None] * np.ones((3, 8, 8), int), np.array([2]))
    assert len(others) == 1 and (others[0]["mask"] == 2).all()
    np.testing.assert_array_equal(others.images, scenes.images[2:])
