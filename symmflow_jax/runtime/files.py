"""Functions that write JSON and image files."""

import json
import pathlib
from typing import Any

import numpy as np
from PIL import Image


def write_json(path: pathlib.Path, value: Any) -> None:
    """Writes a value as indented JSON, atomically."""
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(value, indent=2) + "\n")
    partial.replace(path)


def write_image(path: pathlib.Path, image: np.ndarray) -> None:
    """Writes a uint8 array `[height, width, 1 or 3]` as an image and creates its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(path)
