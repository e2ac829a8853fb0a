"""A cache of five small examples."""

import types

import numpy as np
import pytest

from symmflow_jax.data.latent_cache.index import CacheIndex
from symmflow_jax.data.latent_cache.writer import CacheWriter
from symmflow_jax.semantics import labels

_INDEX = CacheIndex(
    source="shapes",
    split="train",
    target="mask",
    image_size=(8, 8),
    has_mirrored=True,
    encoder_hash="0123456789abcdef",
    num_examples=0,
    schema=labels.consecutive(("sky", "left", "right")),
)
_RNG = np.random.default_rng(0)
_MOMENTS = _RNG.standard_normal((5, 2, 4, 4, 6)).astype(np.float32)
_MASKS = _RNG.integers(0, 3, (5, 8, 8), np.int32)


@pytest.fixture
def examples():
    """The description and the arrays of the cache."""
    return types.SimpleNamespace(index=_INDEX, moments=_MOMENTS, masks=_MASKS)


@pytest.fixture
def folder(tmp_path):
    with CacheWriter(tmp_path / "cache", _INDEX) as writer:
        for moments, mask in zip(_MOMENTS, _MASKS, strict=True):
            writer.write(moments, mask)
    return tmp_path / "cache"
