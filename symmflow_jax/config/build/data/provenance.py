"""Where the examples of a run come from: the keys that choose them, and their fingerprint."""

import dataclasses
from typing import Any

from symmflow_jax.config.build.data.openers import plain
from symmflow_jax.config.build.data.sources import SOURCES
from symmflow_jax.config.values import Config, DataConfig
from symmflow_jax.data.fingerprint import Fingerprint, fingerprint
from symmflow_jax.data.latent_cache.cache import LatentCache
from symmflow_jax.data.source import Source

# Paths are left out: the files have a fingerprint, which does not depend on where they lie.
_OF_SPLIT = {True: {"train_split", "train_size"}, False: {"eval_split", "eval_size"}}
_SPLITS = {"train_split", "eval_split"}
_PATHS = {
    *("dir", "train_images", "train_masks", "eval_images", "eval_masks"),
    *("train_annotations", "eval_annotations"),
}
# Keys that are told only where they are set: earlier versions, without them, did the same.
_NEWER = {
    *("mask_pattern", "class_labels", "image_column", "mask_column"),
    *("val_share", "folds", "fold", "split_seed"),
    *("image_depth", "value_range"),
}
_DEFAULTS = DataConfig()


def provenance(config: Config, found: Fingerprint, train: bool) -> dict[str, Any]:
    """What a split is made of, as plain values.

    Args:
        config: the config that its source was opened with.
        found: the fingerprint of the source.
        train: True for the training split.

    Returns:
        the fields of `Fingerprint`, and "keys" with the values that choose the examples.
    """
    values = {f"data.{key}": getattr(config.data, key) for key in _keys(config, train)}
    if SOURCES[config.data.source].is_drawn:
        values["seed"] = config.seed
    keys = {"data.source": config.data.source} | {key: values[key] for key in sorted(values)}
    return {"keys": {key: plain(value) for key, value in keys.items()}} | found.to_json()


def fingerprint_of_encoded(source: Source) -> Fingerprint:
    """The fingerprint of a source; that of a cache of latents has the digest of its pictures.

    Raises:
        DataError: if a file cannot be read.
    """
    found = fingerprint(source)
    if isinstance(source, LatentCache) and source.index.data_digest:
        return dataclasses.replace(found, digest=source.index.data_digest)
    return found


def _keys(config: Config, train: bool) -> set[str]:
    used = set(SOURCES[config.data.source].used_keys)
    if not used >= _SPLITS:  # The name of a split that chooses nothing occurs in scores alone.
        used -= _SPLITS
    unset = {key for key in _NEWER if getattr(config.data, key) == getattr(_DEFAULTS, key)}
    return used - _PATHS - _OF_SPLIT[not train] - unset - {"picture_channels"}
