"""Preparation of examples, caches of latents, and training batches of a config."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import grain
from PIL.Image import Resampling

from symmflow_jax.config.build.data.fits import make_fit
from symmflow_jax.config.build.data.sources import (
    cache_metadata,
    ignored_are_unknown,
    kind_of,
)
from symmflow_jax.config.build.metrics import make_conventions
from symmflow_jax.config.choices import Choice
from symmflow_jax.config.values import Config
from symmflow_jax.data import pipeline
from symmflow_jax.data.fingerprint import fingerprint
from symmflow_jax.data.geometry.fit import AtScale
from symmflow_jax.data.geometry.native_scale import native_scale as native_scale_of
from symmflow_jax.data.latent_cache.cache import LatentCache
from symmflow_jax.data.latent_cache.index import CacheIndex
from symmflow_jax.data.latent_cache.preparation import CachedPreparation
from symmflow_jax.data.mixing.mixture import ALONE, Mixture
from symmflow_jax.data.pipeline import Augmentation, Preparation
from symmflow_jax.data.source import DataError, Source
from symmflow_jax.interop.weights_hash import hash_of
from symmflow_jax.runtime import processes
from symmflow_jax.semantics.labels import LabelSchema

RESAMPLINGS: dict[str, Choice] = {
    "bicubic": Choice(lambda: Resampling.BICUBIC, "cubic, as the published code resizes scenes"),
    "bilinear": Choice(
        lambda: Resampling.BILINEAR, "linear, as the published code resizes digits and faces"
    ),
}
"""The values of `config.data.resampling`."""


def make_preparation(config: Config, schema: LabelSchema) -> Preparation:
    """Makes the preparation of examples with the classes that are learned."""
    return Preparation(
        target=kind_of(config),
        image_size=config.data.image_size,
        image_channels=config.data.image_channels,
        resampling=RESAMPLINGS[config.data.resampling].resolve()(),
        fit=make_fit(config),
        random_crop=config.data.random_crop,
        random_flip=config.data.random_flip,
        random_vertical_flip=config.data.random_vertical_flip,
        mirrored=schema.mirrored,
        ignored_are_unknown=ignored_are_unknown(config, schema),
        hidden_share=config.data.hidden_share,
    )


def make_evaluation_preparation(config: Config, schema: LabelSchema) -> Preparation:
    """Makes the preparation of the examples that scores are of, by the protocol of the config."""
    preparation = make_preparation(config, schema)
    if not (make_conventions(config.eval).prepares_as_in_training and config.data.random_crop):
        return preparation
    return dataclasses.replace(preparation, crop_seed=config.seed)


def native_scale(
    config: Config, preparation: Preparation, images: Callable[[], Source]
) -> float | None:
    """The scale at which training sees its images; see `data.geometry.native_scale`.

    Args:
        config: the config.
        preparation: how images come to the model's size.
        images: opens the images of the training.

    Returns:
        the scale; None too if the images are not there, because only a cache of latents is.
    """
    if isinstance(preparation.fit, AtScale):
        return preparation.fit.scale
    try:
        return native_scale_of(images(), preparation)
    except DataError:
        if config.data.latents:
            return None
        raise


def make_augmentation(config: Config, schema: LabelSchema) -> Augmentation:
    """Makes the augmentation of training examples, from a cache if the config names one."""
    if config.data.latents:
        return CachedPreparation(kind_of(config), config.data.random_flip, schema.mirrored)
    return make_preparation(config, schema)


def cache_index(
    config: Config, source: Source, schema: LabelSchema, codec_weights: Any
) -> CacheIndex:
    """Description of a new cache of the training split `source`, with zero examples."""
    return CacheIndex(
        **cache_metadata(config),
        data_digest=fingerprint(source).digest,
        encoder_hash=hash_of(codec_weights["encoder"]),
        num_examples=0,
        schema=schema,
    )


def check_latents(config: Config, source: Source, codec_weights: Any) -> None:
    """Raises an error if the cache of latents does not fit the autoencoder.

    Raises:
        DataError: if the latents were made by another encoder.
        ValueError: if there is a cache but no autoencoder.
    """
    if not isinstance(source, LatentCache):
        return
    if codec_weights is None:
        raise ValueError(
            f"config.data.latents is {config.data.latents!r}, but without "
            "config.autoencoder.weights the flow moves pixels; set both or none."
        )
    source.check_fits({"encoder_hash": hash_of(codec_weights["encoder"])})


def training_batches(
    config: Config,
    source: Source,
    schema: LabelSchema,
    *,
    batch_size: int,
    skip_log: pathlib.Path | None = None,
    first_batch: int = 0,
    mixture: Mixture = ALONE,
) -> grain.DatasetIterator:
    """Endless iterator over this process's training batches; see `pipeline.training_batches`."""
    return pipeline.training_batches(
        source,
        make_augmentation(config, schema),
        batch_size=batch_size,
        seed=config.seed,
        shard=processes.shard(),
        num_workers=config.data.num_workers,
        skip_errors=skips_errors(config),
        skip_log=skip_log,
        first_batch=first_batch,
        mixture=mixture,
    )


def skips_errors(config: Config) -> bool:
    """True if examples that cannot be read are skipped."""
    return config.data.on_error == "skip"
