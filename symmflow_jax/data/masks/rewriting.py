"""New mask files from those that hold something else than class ids, and the line that does it."""

import json
import pathlib
import shlex
from collections.abc import Callable

import numpy as np
from PIL import Image

from symmflow_jax.data.decoding.decoding import decode
from symmflow_jax.data.decoding.image_files import SUFFIXES
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime import files

_MOST_IDS = 1 << 16


def rewrite(
    folder: str | pathlib.Path,
    change: Callable[[np.ndarray], np.ndarray],
    output: str | pathlib.Path = "",
) -> pathlib.Path:
    """Writes a PNG of ids for each mask of a folder and its sub-folders; the folder stays as it is.

    Args:
        folder: the masks, in any mode that Pillow reads.
        change: function from the pixels of a mask, `[height, width]` or
            `[height, width, channels]`, to its ids, `[height, width]`, integral and below 65536.
        output: folder to write to, which must not exist; by default `<folder>_ids`.

    Returns:
        The folder that was written to.

    Raises:
        DataError: if there are no masks, if `output` exists, if a mask cannot be read, or if
            `change` gives something else than ids.
    """
    return _rewrite(pathlib.Path(folder), lambda path, pixels: change(pixels), output)


def rewrite_panoptic(
    folder: str | pathlib.Path, annotations: str | pathlib.Path, output: str | pathlib.Path = ""
) -> pathlib.Path:
    """As `rewrite`, for the panoptic masks of COCO, whose colours number segments.

    Args:
        folder: the masks; the segment of a pixel is R + 256 G + 65536 B.
        annotations: the JSON file of `segments_info`, with the "category_id" of each segment.
        output: as of `rewrite`. Pixels of no segment get the id 0.
    """
    entries = json.loads(pathlib.Path(annotations).read_text(encoding="utf-8"))["annotations"]
    segments = {entry["file_name"]: entry["segments_info"] for entry in entries}

    def to_categories(path: pathlib.Path, pixels: np.ndarray) -> np.ndarray:
        numbers = pixels[..., :3] @ np.array([1, 256, 65536])
        ids = np.zeros(numbers.shape, np.int64)
        for segment in segments[path.name]:
            ids[numbers == segment["id"]] = segment["category_id"]
        return ids

    return _rewrite(pathlib.Path(folder), to_categories, output)


def line(folder: pathlib.Path, change: str) -> str:
    """The command that calls `rewrite` with a Python expression of `ids`."""
    numpy = "import numpy as np; " if "np." in change else ""
    return _command(f"{numpy}{_IMPORT} rewrite; rewrite({_text(folder)}, lambda ids: {change})")


def panoptic_line(folder: pathlib.Path, annotations: pathlib.Path) -> str:
    """The command that calls `rewrite_panoptic`."""
    call = f"rewrite_panoptic({_text(folder)}, {_text(annotations)})"
    return _command(f"{_IMPORT} rewrite_panoptic; {call}")


_IMPORT = f"from {__name__} import"


def _text(path: pathlib.Path) -> str:
    """A string of Python with double quotes, so that the shell's single quotes need no escape."""
    return files.as_json(str(path))


def _command(code: str) -> str:
    return f"python -c {shlex.quote(code)}"


def _rewrite(
    folder: pathlib.Path,
    change: Callable[[pathlib.Path, np.ndarray], np.ndarray],
    output: str | pathlib.Path,
) -> pathlib.Path:
    target = pathlib.Path(output) if output else folder.with_name(f"{folder.name}_ids")
    masks = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    ]
    if not masks:
        raise DataError(f"{folder} contains no masks; name the folder of the mask files.")
    if target.exists():
        raise DataError(f"{target} exists; remove it, or give another folder as output=...")
    for path in masks:
        ids = _checked(path, change(path, np.asarray(decode(path).picture)))
        place = (target / path.relative_to(folder)).with_suffix(".png")
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(ids).save(place)
    return target


def _checked(path: pathlib.Path, ids: np.ndarray) -> np.ndarray:
    """The ids as uint8, or uint16 if one needs it."""
    integral = np.asarray(ids).astype(np.int64)
    if integral.ndim != 2 or not np.array_equal(integral, ids):
        raise DataError(f"The change of {path} gives no whole numbers in two dimensions.")
    if integral.min(initial=0) < 0 or integral.max(initial=0) >= _MOST_IDS:
        raise DataError(
            f"The change of {path} gives ids from {integral.min()} to {integral.max()}; a PNG "
            f"holds 0 to {_MOST_IDS - 1}."
        )
    return integral.astype(np.uint8 if integral.max(initial=0) < 256 else np.uint16)
