"""Opening of masks in files: pairs of folders, exports of CVAT, and saved data sets."""

import pathlib
from collections.abc import Callable
from typing import Any

from symmflow_jax.config.build.data.openers import SPLITS, decoding_of, split_of, uses
from symmflow_jax.config.build.data.own import classes as own_classes
from symmflow_jax.config.build.data.own.splits import (
    IMAGES,
    OWN,
    is_first,
    part_of,
)
from symmflow_jax.config.values import DataConfig
from symmflow_jax.data.annotations.labelmap import read_labelmap
from symmflow_jax.data.folders.listing import shorten
from symmflow_jax.data.source import DataError, Source
from symmflow_jax.data.sources.annotated import cvat_layout, hf_dataset
from symmflow_jax.runtime.errors import shown


# The splits are folders; the name of the evaluation split occurs only in scores.
@uses(
    *OWN,
    "eval_split",
    *IMAGES,
    "train_masks",
    "eval_masks",
    "mask_pattern",
    "class_ids",
    "class_colours",
)
def from_folder_pair(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a source from a folder of images and a folder of masks, with classes of the config.

    Raises:
        DataError: if there are no class names, or their number differs from that of the ids or
            colours.
        ValueError: if an id is negative or a colour is not written as "#ff0080".
    """
    del seed
    own_classes.check_named(data)
    root = pathlib.Path(data.dir)
    first = is_first(data, train)
    images = root / (data.train_images if first else data.eval_images)
    masks = root / (data.train_masks if first else data.eval_masks)
    classes = own_classes.of_ids(data)
    colours = own_classes.colours_of(data, classes)
    decoding = decoding_of(data)
    return part_of(
        constructor(images, masks, classes, colours, decoding, data.mask_pattern), data, train
    )


@uses(*OWN, *SPLITS, "class_labels")
def from_cvat(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a source from an export of CVAT, whose masks have the colours of `labelmap.txt`.

    Raises:
        DataError: if a file is missing, or a label of the export is in no class.
    """
    del seed
    root = pathlib.Path(data.dir)
    colours = read_labelmap(root / cvat_layout.LABELMAP)
    labels = dict(enumerate(colours))
    classes = own_classes.of_labels(data, labels, None)
    missing = sorted(labels.keys() - set(classes.known_ids))
    if missing:
        raise DataError(
            f"config.data.class_names lacks the labels {shorten(labels[i] for i in missing)} of "
            f"{shown(root / cvat_layout.LABELMAP)}, whose pixels would have no class. Name them "
            "too, or merge them into others with config.data.class_labels."
        )
    by_class: dict[int, list[Any]] = {}
    for number, label in labels.items():
        by_class.setdefault(classes.class_of(number), []).append(colours[label])
    palette = tuple(tuple(by_class[number]) for number in range(len(by_class)))
    names, pairs = cvat_layout.pairs_of(root, split_of(data, is_first(data, train)))
    return part_of(constructor(pairs, classes, palette, decoding_of(data), names), data, train)


@uses(*OWN, *SPLITS, "image_column", "mask_column", "class_ids")
def from_hf(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a split of a folder that Hugging Face `datasets` has saved.

    Raises:
        DataError: if it is something else, or if nothing names the classes.
    """
    del seed
    root = pathlib.Path(data.dir)
    names = hf_dataset.read_names(root)
    where = f"Or put id2label.json, the names by id, into {shown(root)}."
    classes = own_classes.of_numbered(data, names, where)
    columns = (data.image_column, data.mask_column)
    split = split_of(data, is_first(data, train))
    return part_of(constructor(root, split, columns, classes, decoding_of(data)), data, train)
