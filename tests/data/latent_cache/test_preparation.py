"""Cached examples in training."""

import numpy as np

from symmflow_jax.data import pipeline
from symmflow_jax.data.latent_cache.cache import LatentCache
from symmflow_jax.data.latent_cache.preparation import CachedPreparation


def test_training_sees_both_mirror_images_and_their_masks(folder, examples):
    preparation = CachedPreparation("mask", random_flip=True, mirrored=((1, 2),))
    batches = pipeline.training_batches(LatentCache(folder), preparation, batch_size=5, seed=0)
    seen = set()
    swap = np.asarray([0, 2, 1])
    for _ in range(4):
        batch = next(batches)
        assert batch.image.values.dtype == np.float16 and batch.labels.dtype == np.int32
        for moments, mask in zip(batch.image.values, batch.labels, strict=True):
            variants = np.all(moments == examples.moments.astype(np.float16), axis=(2, 3, 4))
            ((example, variant),) = np.argwhere(variants)
            expected = (
                swap[examples.masks[example][:, ::-1]] if variant else examples.masks[example]
            )
            np.testing.assert_array_equal(mask, expected)
            seen.add(variant)
    assert seen == {0, 1}
    unflipped = CachedPreparation("mask").augment(LatentCache(folder)[1], np.random.default_rng(0))
    np.testing.assert_array_equal(unflipped["image"], examples.moments[1, 0].astype(np.float16))
