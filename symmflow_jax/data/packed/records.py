"""Packed examples as bytes, the records of a shard.

A record is a safetensors file of arrays. "name" holds the name of the example in UTF-8. "image" has
one axis for the content of an image file (uint8) or a point (float32), and three axes for pixels.
"mask" holds a PNG of the ids of `stored_ids` with the EXIF orientation that the mask's own file
had. "label" is the number of a class.
"""

import dataclasses
import io
from typing import NamedTuple

import numpy as np
import safetensors.numpy
from PIL import ExifTags, Image

from symmflow_jax.data.decoding.header import AS_STORED
from symmflow_jax.data.packed.stored import Stored
from symmflow_jax.semantics.labels import LabelSchema

_MOST_IDS = 2**16  # A PNG has at most 16 bits for each pixel.


class Record(NamedTuple):
    """A record, read.

    Attributes:
        name: name of the example: the path of its image within the data set, or a number.
        image: content of an image file; or pixels, uint8 `[height, width, 1 or 3]`; or a point,
            float32 `[n]`.
        mask: content of a PNG of ids, or None.
        label: int32 `[]`, or None.
    """

    name: str
    image: bytes | np.ndarray
    mask: bytes | None
    label: np.ndarray | None


def stored_schema(schema: LabelSchema) -> LabelSchema:
    """The schema of the ids in packed masks: those of the data set's files, one for each class.

    Ids that need more than 16 bits are replaced by the numbers of the classes.
    """
    fits = max(schema.raw_ids) < _MOST_IDS
    raw_ids = schema.raw_ids if fits else tuple(range(schema.num_classes))
    return dataclasses.replace(schema, raw_ids=raw_ids, merged_ids=())


def pack(example: Stored, name: str, schema: LabelSchema | None) -> bytes:
    """An example as a record.

    Args:
        example: the example.
        name: its name in the record.
        schema: the classes of its mask, as of `stored_schema`; None without a mask.
    """
    arrays = {"name": _bytes(name.encode("utf-8", "surrogateescape"))}
    is_file = isinstance(example.image, bytes)
    arrays["image"] = _bytes(example.image) if is_file else np.ascontiguousarray(example.image)
    if example.mask is not None and schema is not None:
        arrays["mask"] = _bytes(_png(schema.to_raw(example.mask), schema, example.orientation))
    if example.label is not None:
        arrays["label"] = np.asarray(example.label, np.int32)
    return safetensors.numpy.save(arrays)


def unpack(record: bytes) -> Record:
    """The parts of a record; raises any error for damaged bytes."""
    arrays = safetensors.numpy.load(record)
    image, mask = arrays["image"], arrays.get("mask")
    return Record(
        name=name_of(arrays["name"]),
        image=image.tobytes() if image.ndim == 1 and image.dtype == np.uint8 else image,
        mask=None if mask is None else mask.tobytes(),
        label=arrays.get("label"),
    )


def name_of(array: np.ndarray) -> str:
    """The name of an example from its bytes, uint8 `[n]`."""
    return array.tobytes().decode("utf-8", "surrogateescape")


def _bytes(content: bytes | np.ndarray) -> np.ndarray:
    return np.frombuffer(content, np.uint8)


def _png(ids: np.ndarray, schema: LabelSchema, orientation: int) -> bytes:
    """A PNG of ids `[height, width]` in 8 or 16 bits."""
    picture = Image.fromarray(ids.astype(np.uint8 if max(schema.raw_ids) < 256 else np.uint16))
    options = {}
    if orientation != AS_STORED:
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        options["exif"] = exif
    file = io.BytesIO()
    picture.save(file, format="PNG", **options)
    return file.getvalue()
