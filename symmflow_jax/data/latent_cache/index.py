"""The description of a cache of encoded examples, in its file `index.json`."""

import dataclasses
import json
import pathlib
from types import NoneType

from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.errors import first_line
from symmflow_jax.semantics.labels import LabelSchema

INDEX = "index.json"
"""Name of the file."""

ARRAY_RECORD = ".array_record"
"""Ending of the names of the files of records."""


@dataclasses.dataclass(frozen=True)
class CacheIndex:
    """Description of a cache, written to its folder as `index.json`.

    Attributes:
        source: name of the data source.
        split: name of the encoded split.
        target: "mask" or "label".
        image_size: height and width of the images before encoding.
        has_mirrored: True if every example also has the moments of its mirror image.
        encoder_hash: hash of the encoder's weights.
        num_examples: number of examples.
        schema: the classes.
        data_digest: digest of the fingerprint of the encoded files; empty in caches of earlier
            versions.
        seed: seed of a drawn source; None for files, and in caches of earlier versions.
        resampling: value of `data.resampling`; empty in caches of earlier versions.
        exif: value of `data.exif`; empty in caches of earlier versions.
        fit: value of `data.fit`; "crop" in caches of earlier versions.
    """

    source: str
    split: str
    target: str
    image_size: tuple[int, ...]
    has_mirrored: bool
    encoder_hash: str
    num_examples: int
    schema: LabelSchema
    data_digest: str = ""
    seed: int | None = None
    resampling: str = ""
    exif: str = ""
    fit: str = "crop"


def read_index(folder: pathlib.Path) -> CacheIndex:
    """The index of a cache; raises DataError if there is none, or if it is damaged."""
    path = folder / INDEX
    if not path.is_file():
        raise DataError(
            f"{folder} holds no encoded examples; make them with --mode=encode and the same "
            "config, or correct config.data.latents."
        )
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        values["schema"] = LabelSchema.from_json(values["schema"])
        values["image_size"] = tuple(values["image_size"])
        index = CacheIndex(**values)
        _check_types(index)
        return index
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{path} is damaged ({type(error).__name__}: {first_line(error)}); encode again with "
            "--mode=encode."
        ) from error


def _check_types(index: CacheIndex) -> None:
    """Raises ValueError for a value of another type than the index has."""
    kinds: dict[str, type | tuple[type, ...]] = {
        "source": str, "split": str, "target": str, "encoder_hash": str, "has_mirrored": bool,
        "data_digest": str, "num_examples": int, "seed": (int, NoneType),
    }  # fmt: skip
    for name, kind in kinds.items():
        value = getattr(index, name)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ValueError(f"{name} is {value!r}")
    if not all(type(side) is int and side > 0 for side in index.image_size):
        raise ValueError(f"image_size is {index.image_size!r}")
    if not all(isinstance(name, str) for name in index.schema.names):
        raise ValueError(f"the class names are {index.schema.names!r}")
