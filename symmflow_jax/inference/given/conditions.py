"""Masks and labels as users have them: files, folders, pictures, arrays, names of classes."""

import dataclasses
import logging
import pathlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image

from symmflow_jax.data.decoding.decoding import Decoded, decode
from symmflow_jax.data.masks.colours import ClassColours, ids_of_colours
from symmflow_jax.data.masks.ids import ids_of
from symmflow_jax.data.pipeline import Preparation
from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.segmentation.image_pairs import to_classes
from symmflow_jax.inference.files.inputs import image_paths
from symmflow_jax.inference.files.made import Made, made_of
from symmflow_jax.inference.given.images import (
    Given,
    decoded,
    is_array,
    is_place,
    local_path,
    single_ones,
)
from symmflow_jax.runtime.errors import nearest, shown_value
from symmflow_jax.semantics.labels import UNKNOWN, LabelSchema

_logger = logging.getLogger(__name__)

UNSURE_ID = 255
"""Id of unsure pixels in the masks that `segment` writes, if no other one is given."""

_MOST_LEFT_OUT = 0.02


def read_condition(
    path: pathlib.Path, schema: LabelSchema, colours: ClassColours, unsure_id: int = UNSURE_ID
) -> np.ndarray:
    """The classes of a mask file for a trained model, integers `[height, width]`.

    Args:
        path: the file: ids of the data set, or colours if the model has learned from coloured
            masks. A mask that this project has written holds ids in both cases.
        schema: the classes.
        colours: colour of each class in the data set's masks; empty if these hold ids.
        unsure_id: a further id of unknown pixels, which are -1, unless a class has it.

    Raises:
        DataError: if the file cannot be read, or has ids or colours of no class, or unknown pixels
            for a model that has not learned from such masks.
    """
    holds_ids = not colours or made_of(path) is Made.MASK
    return _classes(decode(path), path, schema, () if holds_ids else colours, unsure_id)


def fitted_mask(mask: np.ndarray, preparation: Preparation, name: str) -> np.ndarray:
    """A mask in the model's size and geometry; a warning tells if its sides are left out.

    Args:
        mask: integers `[height, width]`.
        preparation: the preparation of the model's examples.
        name: what the mask is called.
    """
    height, width = preparation.shown((mask.shape[0], mask.shape[1])).size
    left_out = 1.0 - height * width / mask.size
    if left_out > _MOST_LEFT_OUT:
        _logger.warning(
            "%s is %dx%d (width x height), of which the model's images show the middle %dx%d as "
            "in training; --fit=tiles makes an image of all of it (fit=\"tiles\" in Python).",
            name, mask.shape[1], mask.shape[0], width, height,
        )  # fmt: skip
    return preparation.fitted_mask(mask)


def given_masks(masks: Any, schema: LabelSchema, colours: ClassColours = ()) -> Given[np.ndarray]:
    """The masks that a user has given, int32 `[height, width]` of any sizes.

    One mask is a file, a Pillow image, the result of `segment`, or an integer array `[height,
    width]`. Several are a folder, an array `[batch, height, width]`, or a list of single ones.
    Arrays hold classes 0..n-1. Files and Pillow images hold the ids of the data set, or colours as
    its masks do; an array of such a coloured mask is uint8 `[height, width, 3]`.

    Args:
        masks: as above.
        schema: the classes.
        colours: as in `read_condition`.

    Raises:
        DataError: if there is no mask, or a file cannot be read or has unknown ids or colours.
        ValueError: if an array has another shape or dtype, or numbers that are no classes.
    """
    if is_place(masks):
        path = local_path(masks, "masks")
        found = image_paths(str(path), Made.MASK, "masks")
        classes = [read_condition(file, schema, colours) for file in found]
        return Given([c.astype(np.int32) for c in classes], is_one=path.is_file())
    if isinstance(masks, Image.Image):
        return Given([_of_picture(masks, "The mask", schema, colours)], is_one=True)

    def is_one_mask(array: np.ndarray) -> bool:
        is_coloured = array.ndim >= 3 and array.dtype == np.uint8 and array.shape[-1] == 3
        return array.ndim <= (3 if colours and is_coloured else 2)

    single, is_one = single_ones(masks, "mask", is_one_mask, "an array of integers")
    items = [_single(mask, name, schema, colours) for mask, name in single]
    return Given(items, is_one)


def given_labels(labels: Any, schema: LabelSchema) -> Given[np.ndarray]:
    """The labels that a user has given, int32 scalars.

    One label is the number of a class, 0..n-1, its name, or the result of `classify`. Several are
    an array of integers `[batch]`, or a list of single ones.

    Args:
        labels: as above.
        schema: the classes.

    Raises:
        ValueError: if there is no label, or one is neither a number nor the name of a class.
    """
    if isinstance(labels, str):
        return Given([_number(labels, schema)], is_one=True)
    if isinstance(labels, Iterable) and not is_array(labels):
        labels = [_number(item, schema) if isinstance(item, str) else item for item in labels]
    array = np.asarray(labels)
    if array.ndim > 1:
        raise ValueError(f"Conditions have shape {array.shape}; this model takes ('batch',).")
    if not array.size:
        raise ValueError("There is no label; give at least one.")
    check_classes(array, schema, are_masks=False)
    return Given(list(np.atleast_1d(array).astype(np.int32)), is_one=array.ndim == 0)


def check_classes(numbers: np.ndarray, schema: LabelSchema, *, are_masks: bool) -> None:
    """Raises a ValueError unless numbers are those of classes, or -1 for unknown pixels.

    Args:
        numbers: labels or masks.
        schema: the classes; it tells if the model has learned from masks with unknown pixels.
        are_masks: True for masks.
    """
    if not np.issubdtype(numbers.dtype, np.integer):
        raise ValueError(f"Conditions are {numbers.dtype}; give integers.")
    lowest = UNKNOWN if are_masks and schema.unknown_ids else 0
    if are_masks and UNKNOWN <= numbers.min() < lowest:
        raise ValueError(
            "Conditions have unknown pixels (-1), but this model was trained with whole masks "
            "alone; train one with config.data.hidden_share=0.5, or fill these pixels."
        )
    if numbers.min() < lowest or numbers.max() >= schema.num_classes:
        raise ValueError(
            f"Conditions range from {numbers.min()} to {numbers.max()}; the classes "
            f"are 0 to {schema.num_classes - 1}: {', '.join(schema.names)}."
        )


def check_view(view: Any, *, reads_masks: bool) -> None:
    """Raises a ValueError if there is a view, of masks of any size, but the model takes labels."""
    if view and not reads_masks:
        raise ValueError("A view is of masks, but this model takes labels, which have no size.")


def _number(name: str, schema: LabelSchema) -> np.ndarray:
    if name not in schema.names:
        raise ValueError(
            f"{shown_value(name)} is no class of this model. "
            f"{nearest(name, schema.names, 'classes')}"
        )
    return np.asarray(schema.names.index(name), np.int32)


def _single(mask: Any, name: str, schema: LabelSchema, colours: ClassColours) -> np.ndarray:
    if is_place(mask):
        return read_condition(local_path(mask, name), schema, colours).astype(np.int32)
    if isinstance(mask, Image.Image):
        return _of_picture(mask, name, schema, colours)
    if not is_array(mask):
        raise ValueError(
            f"{name} is {shown_value(mask)}; give a file, a Pillow image, or an array of integers."
        )
    array = np.asarray(mask)
    if colours and array.ndim == 3 and array.dtype == np.uint8 and array.shape[-1] == 3:
        return _of_picture(Image.fromarray(array), name, schema, colours)
    if array.ndim != 2 or not array.size:
        takes = "[height, width]" + (", or colours [height, width, 3] in uint8" if colours else "")
        raise ValueError(f"{name} has shape {array.shape}; this model takes {takes}.")
    check_classes(array, schema, are_masks=True)
    return array.astype(np.int32)


def _of_picture(
    picture: Image.Image, name: str, schema: LabelSchema, colours: ClassColours
) -> np.ndarray:
    classes = _classes(decoded(picture, name), pathlib.Path(name), schema, colours)
    return classes.astype(np.int32)


def _classes(
    mask: Decoded,
    path: pathlib.Path,
    schema: LabelSchema,
    colours: ClassColours,
    unsure_id: int = UNSURE_ID,
) -> np.ndarray:
    if colours:
        return ids_of_colours(mask, path, colours, classes_are_fixed=True)
    ids = ids_of(mask, path, schema.known_ids, classes_are_fixed=True)
    if unsure_id not in schema.known_ids:
        if schema.unknown_ids:
            schema = dataclasses.replace(schema, unknown_ids=(*schema.unknown_ids, unsure_id))
        elif unsure_id in ids:
            raise DataError(
                f"{path} has unsure pixels (id {unsure_id}), but this model was trained with whole "
                "masks alone. Train one with --config.data.hidden_share=0.5, or on masks that have "
                "pixels of config.data.ignored_id; or fill these pixels."
            )
    return to_classes(ids, schema, path, classes_are_fixed=True)
