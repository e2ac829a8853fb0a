"""What the ids of a mask that belong to no class may mean."""

import pathlib
from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from symmflow_jax.data.masks import artefacts
from symmflow_jax.data.masks.ids import conversion, is_instance_ids
from symmflow_jax.semantics.labels import UnknownIds

_FULL_SCALES = (255, 65535)
_STRETCH = 257  # From 8 bits to 16: 255 becomes 65535.


class Meaning(NamedTuple):
    """An explanation of ids.

    Attributes:
        text: the explanation, such as "8-bit ids times 257".
        factor: what class ids were multiplied with, or 0 if it is no factor.
        change: Python expression of `ids` that makes them class ids.
    """

    text: str
    factor: int
    change: str


def meaning_of(found: Collection[int], known: Collection[int]) -> Meaning | None:
    """An explanation of the ids of masks, or None.

    Args:
        found: the ids in the masks.
        known: the ids of the classes.
    """
    largest = max(found, default=0)
    if set(found) <= {0, largest} and largest in _FULL_SCALES and {0, 1} == set(known):
        return Meaning(f"0 and {largest} stand for two classes", largest, f"ids // {largest}")
    stretched = {number // _STRETCH for number in found if number}
    if not any(number % _STRETCH for number in found) and stretched & set(known):
        return Meaning("8-bit ids were stretched to 16 bits (times 257)", _STRETCH, "ids // 257")
    if is_instance_ids(found, known):
        return Meaning(
            "ids of instances (class * 1000 + n)", 0, "np.where(ids >= 1000, ids // 1000, ids)"
        )
    return None


def explain(
    error: UnknownIds,
    ids: np.ndarray,
    known: Collection[int],
    path: pathlib.Path,
    classes_are_fixed: bool = False,
) -> str:
    """The message of an error, with the remedy if it is known.

    Args:
        error: what `LabelSchema.from_raw` raised.
        ids: ids of the mask, `[height, width]`.
        known: ids of the classes.
        path: the mask.
        classes_are_fixed: True if no key of the config changes the classes.
    """
    meaning = meaning_of(set(np.unique(ids).tolist()), known)
    if meaning is not None:
        two = meaning.factor in _FULL_SCALES and not classes_are_fixed
        keys = f"set --config.data.class_ids=0,{meaning.factor}, or " if two else ""
        return f"{error.finding} Probably {meaning.text}; {keys}{conversion(path, meaning.change)}"
    signs = artefacts.look(ids)
    if signs.has_jpeg_blocks or signs.has_stray_ids:
        return f"{error.finding} {artefacts.describe(signs)} {artefacts.REMEDY}"
    if classes_are_fixed:
        return f"{error.finding} Give a mask with the ids of the model's classes."
    return str(error)
