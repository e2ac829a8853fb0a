"""Functions that write JSON, text and image files, whole or not at all."""

import json
import pathlib
from typing import Any

import numpy as np
from PIL import Image

from symmflow_jax.runtime import outputs

_INSTEAD = "another --output or --workdir"


def write_json(path: pathlib.Path, value: Any) -> None:
    """Writes a value as indented JSON; raises OutputError if the file system refuses."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def write_text(path: pathlib.Path, text: str) -> None:
    """Writes text in UTF-8; raises OutputError if the file system refuses."""
    with outputs.writing_text(path, _INSTEAD) as file:
        file.write(text)


def write_image(path: pathlib.Path, image: np.ndarray) -> None:
    """Writes a uint8 array `[height, width, 1 or 3]` as a PNG and creates its folder.

    Raises:
        OutputError: if the file system refuses.
    """
    with outputs.writing(path, _INSTEAD) as file:
        picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
        picture.save(file, format="PNG")
