"""Functions that write text, JSON and image files, whole or not at all, or tell what a file is.

Text is UTF-8 on every system. JSON has no NaN: `null` stands for numbers that are not defined.
"""

import hashlib
import json
import math
import pathlib
from typing import Any

import numpy as np

from symmflow_jax.runtime import outputs

_INSTEAD = "another --output or --workdir"


def waits(path: pathlib.Path) -> bool:
    """True for a pipe, a socket or a device: a program that reads one may wait for ever."""
    return path.exists() and not path.is_file() and not path.is_dir()


def sha256(path: pathlib.Path) -> str:
    """The SHA-256 of a file's content in 64 hexadecimal digits; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(path: pathlib.Path, text: str) -> None:
    r"""Writes text as UTF-8, atomically; raises OutputError if the file system refuses.

    Bytes of file names that are no text (in Python, surrogates) are written as `\udcff`.
    """
    with outputs.writing_text(path, _INSTEAD) as file:
        file.write(text)


def without_surrogates(text: str) -> str:
    r"""Text that any font and encoding of Unicode takes, with `\udcff` for bytes of no text."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def write_json(path: pathlib.Path, value: Any) -> None:
    """Writes a value as indented JSON, atomically; see `as_json`."""
    write_text(path, as_json(value, indent=2) + "\n")


def as_json(value: Any, indent: int | None = None) -> str:
    """A value as JSON in ASCII, with null for numbers that are NaN or infinite."""
    return json.dumps(_defined(value), indent=indent, allow_nan=False)


def _defined(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _defined(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_defined(item) for item in value]
    return value


def write_image(path: pathlib.Path, image: np.ndarray) -> None:
    """Writes a uint8 array `[height, width, 1 or 3]` as a PNG and creates its folder.

    Raises:
        OutputError: if the file system refuses.
    """
    # Imported here, because every command imports this module when it starts.
    from PIL import Image

    with outputs.writing(path, _INSTEAD) as file:
        picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
        picture.save(file, format="PNG")
