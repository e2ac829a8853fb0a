"""Opening of a config's examples, of their cache of latents, and of their classes."""

import logging
from typing import Any

from symmflow_jax.config.build.data.classes import (
    classes_without_examples,
    learned,
    learned_schema,
    renamed,
)
from symmflow_jax.config.build.data.sources import choice_of, kind_of
from symmflow_jax.config.values import Config, DataConfig
from symmflow_jax.data.fingerprint import files_of, fingerprint
from symmflow_jax.data.latent_cache.cache import LatentCache
from symmflow_jax.data.packed.packed import Packed
from symmflow_jax.data.source import DataError, Source, notes_of
from symmflow_jax.data.sources.classification.arrays.labelled_arrays import LabelledArrays
from symmflow_jax.data.transforms import image_size
from symmflow_jax.runtime.errors import shown
from symmflow_jax.semantics.labels import LabelSchema

_logger = logging.getLogger(__name__)


def open_source(config: Config, *, train: bool) -> Source:
    """Opens the source of a split from its files, ignoring caches, and logs its notes.

    Raises:
        DataError: if the data is missing, lacks the kind of semantics that is learned, or has
            points of another size.
    """
    source = _checked(_open_files(config, train=train), config)
    notes = [*notes_of(source), *(classes_without_examples(config, source) if train else ())]
    for note in notes:
        _logger.info("%s", note)
    return source


def _open_files(config: Config, *, train: bool) -> Source:
    choice = choice_of(config)
    return choice.opener(choice.resolve(), config.data, train, config.seed)


def _checked(source: Source, config: Config) -> Source:
    """The source, if it has what the config learns of it."""
    kind = kind_of(config)
    if kind not in source.schemas:
        raise DataError(
            f"config.data.source={config.data.source!r} has only {' and '.join(source.schemas)} "
            f"and no {kind} in its files; choose another config.semantics.encoding, or set "
            f"config.semantics.kind to {next(iter(source.schemas))!r}."
        )
    if not config.data.image_size:
        _check_points(config.data, source)
    elif isinstance(source, LabelledArrays) or (isinstance(source, Packed) and source.has_points):
        _check_images(config.data, source)
    return source


def open_cache(config: Config) -> LatentCache | None:
    """Opens the cache of encoded training examples; None if the config names none.

    Raises:
        DataError: if the cache is missing or was made from other data. The files themselves are
            compared only if they are there, because training does not need them.
    """
    if not config.data.latents:
        return None
    cache = LatentCache(config.data.latents)
    cache.check_fits(cache_metadata(config))
    try:
        source = _open_files(config, train=True)
    except DataError:
        _logger.info("The data of the latents in %s is not there to be compared.", cache.folder)
        return cache
    cache.check_data(fingerprint(source))
    return cache


def schema_without_files(config: Config) -> LabelSchema:
    """The label schema of the learned semantics, even if the data is missing.

    The classes of missing data are those known for the data set, or else those of `class_names`.

    Raises:
        DataError: if the data is missing and its classes are unknown, or if the data does not fit
            the config.
    """
    try:
        source = _open_files(config, train=True)
    except DataError as error:
        known = choice_of(config).classes_without_files(config.data.name)
        if known is not None:
            return learned(renamed(known, config), config)
        if config.data.class_names:
            return learned(choice_of(config).classes_of_config(config.data), config)
        raise DataError(
            f"{error} Without the data, name its classes with config.data.class_names."
        ) from error
    return learned_schema(config, _checked(source, config))


def cache_metadata(config: Config) -> dict[str, Any]:
    """Properties of a cache of the training split, by the names of `CacheIndex`."""
    return {
        "source": config.data.source,
        "split": config.data.train_split,
        "target": kind_of(config).value,
        "image_size": config.data.image_size,
        "resampling": config.data.resampling,
        "fit": config.data.fit,
        "has_mirrored": config.data.random_flip,
        "exif": config.data.exif,
        "seed": config.seed if choice_of(config).is_drawn else None,
    }


def _check_points(data: DataConfig, source: Source) -> None:
    """Raises DataError unless the source has points of the configured size."""
    shape = image_size(source[0]["image"])
    if len(shape) != 1:
        raise DataError(
            f"config.data.image_size is empty, which means points, but {data.source!r} has "
            f"images of shape {shape}; set config.data.image_size, such as to (32, 32)."
        )
    if shape != (data.point_size,):
        raise DataError(
            f"config.data.point_size is {data.point_size}, but the points of "
            f"{data.source!r} have {shape[0]} numbers; set it to {shape[0]}."
        )


def _check_images(data: DataConfig, source: Source) -> None:
    """Raises DataError if the source has points where images are configured."""
    shape = image_size(source[0]["image"])
    if len(shape) == 1:
        raise DataError(
            f"{shown(files_of(source)[0])} has rows of {shape[0]} floats, which are points, but "
            f"config.data.image_size is {data.image_size}; set it to () and config.data.point_size "
            f"to {shape[0]}, or save images [n, height, width] of 8 bits."
        )
