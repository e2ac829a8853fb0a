"""Shared parts of inference on files: image paths, full batches, and mask files."""

import pathlib
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from symmflow_jax.data.image_files import SUFFIXES
from symmflow_jax.data.source import DataError

BATCH_SIZE = 16


def image_paths(path_name: str) -> list[pathlib.Path]:
    """The path of an image file, or the paths of a folder's images, sorted by name.

    Raises:
        DataError: if there is no image.
    """
    path = pathlib.Path(path_name)
    if path_name and path.is_file():
        return [path]
    files = sorted(p for p in path.glob("*") if p.suffix.lower() in SUFFIXES) if path_name else []
    if not files:
        raise DataError(
            f"--input={path_name!r} is no image and no folder with images ({', '.join(SUFFIXES)})."
        )
    return files


def batches(items: Sequence) -> Iterator[Sequence]:
    """Splits a sequence into batches of `BATCH_SIZE` items; the last one may be smaller."""
    for start in range(0, len(items), BATCH_SIZE):
        yield items[start : start + BATCH_SIZE]


def padded(array: np.ndarray) -> np.ndarray:
    """Pads a batch to `BATCH_SIZE` with its first element, so that one compilation is enough."""
    missing = BATCH_SIZE - len(array)
    return np.concatenate([array, np.repeat(array[:1], missing, axis=0)])


def write_ids(path: pathlib.Path, ids: np.ndarray) -> None:
    """Writes int ids `[height, width]` as a PNG of 8 bits, or of 16 bits if an id needs them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dtype = np.uint8 if ids.max(initial=0) < 256 else np.uint16
    Image.fromarray(ids.astype(dtype)).save(path)
