"""Splits that are folders of their own, or parts of one folder."""

import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from symmflow_jax.config.build.data.openers import FILES, decoding_of
from symmflow_jax.config.values import DataConfig
from symmflow_jax.data.selection import Parts
from symmflow_jax.data.source import Source
from symmflow_jax.data.sources.annotated.annotated_images import Annotated
from symmflow_jax.semantics.labels import LabelSchema

PARTS = ("val_share", "folds", "fold", "split_seed")
IMAGES = ("train_images", "eval_images")
ANNOTATIONS = ("train_annotations", "eval_annotations")
OWN = ("dir", *PARTS, *FILES, "ignored_id")
"""Keys of `config.data` that all forms use."""


def parts_of(data: DataConfig) -> Parts | None:
    """How one folder is shared out between the splits; None if each has its own files."""
    if not data.val_share and not data.folds:
        return None
    return Parts(data.val_share, data.folds, data.fold, data.split_seed)


def is_first(data: DataConfig, train: bool) -> bool:
    """True if a split is read from the files of training."""
    return train or parts_of(data) is not None


def part_of(source: Any, data: DataConfig, train: bool) -> Source:
    """The source, or the part of it that is a split."""
    parts = parts_of(data)
    return source if parts is None else source.only(parts.chosen(source.names, train=train))


def annotated_source(
    constructor: Callable[..., Source],
    examples: Sequence[Annotated],
    classes: LabelSchema,
    data: DataConfig,
    train: bool,
    notes: Iterable[str],
) -> Source:
    """The annotated images of a split."""
    return part_of(constructor(examples, classes, decoding_of(data), tuple(notes)), data, train)


def images_folder(data: DataConfig, train: bool) -> pathlib.Path:
    """The folder of a split's images."""
    first = is_first(data, train)
    return pathlib.Path(data.dir) / (data.train_images if first else data.eval_images)


def annotations_place(data: DataConfig, train: bool) -> pathlib.Path | None:
    """The folder or file of annotations that the config names, or None."""
    given = data.train_annotations if is_first(data, train) else data.eval_annotations
    return pathlib.Path(data.dir) / given if given else None
