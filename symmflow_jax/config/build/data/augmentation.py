"""Augmentation of a config: changes of appearance, rare classes, and all of it in words."""

import dataclasses

import numpy as np

from symmflow_jax.codecs.appearance import Appearance
from symmflow_jax.config.values import AppearanceConfig, Config
from symmflow_jax.data.augmentation.rare_classes import repeat_factors
from symmflow_jax.semantics.labels import LabelSchema

_GEOMETRY = (
    "random_scale",
    "random_crop",
    "random_flip",
    "random_vertical_flip",
    "random_rotation",
)
"""The keys of `config.data` that change where things are, in images and masks alike."""


def make_appearance(values: AppearanceConfig) -> Appearance | None:
    """Makes the changes of images that are held clean; None if none is above 0."""
    ranges = {name: size for name, size in dataclasses.asdict(values).items() if name != "share"}
    return Appearance(**ranges, share=values.share) if any(ranges.values()) else None


def samples_rare_classes(config: Config) -> bool:
    """True if training shows examples of rare classes more often."""
    return config.data.rare_class_sampling > 0.0


def example_weights(config: Config, table: np.ndarray, schema: LabelSchema) -> np.ndarray:
    """How often each example is shown, relative to one without rare classes.

    Args:
        config: the values.
        table: result of `class_counts.count_by_example`, for the classes of the schema.
        schema: the classes; ignored ones do not count.
    """
    return repeat_factors(table, config.data.rare_class_sampling, schema.ignored)


def in_words(config: Config) -> str:
    """One line with every key of augmentation and its value, defaults too."""
    data = config.data
    parts = [f"{key}={getattr(data, key)}" for key in _GEOMETRY if data.image_size]
    parts += [f"appearance.{key}={size:g}" for key, size in _changes(data.appearance).items()]
    parts.append(f"rare_class_sampling={data.rare_class_sampling:g}")
    return f"Augmentation (config.data): {', '.join(parts)}."


def _changes(values: AppearanceConfig) -> dict[str, float]:
    """The keys of the appearance that have an effect, or all of its ranges if none has."""
    given = dataclasses.asdict(values)
    share = given.pop("share")
    return given | {"share": share} if any(given.values()) else given
