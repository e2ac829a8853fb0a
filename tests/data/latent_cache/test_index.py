"""The description of a cache."""

import json

import pytest

from symmflow_jax.data.latent_cache.cache import LatentCache
from symmflow_jax.data.source import DataError


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("num_examples", "5"), ("target", 3), ("has_mirrored", None), ("image_size", [8, "8"]),
        ("image_size", [8, -8]), ("schema", None), ("seed", []), ("more", 1),
    ],
)  # fmt: skip
def test_an_index_of_other_types_is_named(folder, key, value):
    index = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps(index | {key: value}))
    with pytest.raises(DataError, match=r"index\.json is damaged \(.*encode again"):
        LatentCache(folder)
