"""Generated images as a list that a notebook shows as pictures."""

import os
import pathlib
from collections.abc import Iterable

import numpy as np
from PIL import Image

from symmflow_jax.inference.files.made import Made, write_picture
from symmflow_jax.inference.results import figures
from symmflow_jax.inference.results.places import output_paths
from symmflow_jax.runs.pictures import grids

_MOST_SHOWN = 32
_IN_A_ROW = 8


class Images(list[Image.Image]):
    """Generated images, in the order of their masks or labels.

    `np.asarray(images)` is uint8 `[batch, height, width, 3]`, or `[batch, height, width]` if they
    are grey.
    """

    @classmethod
    def of(cls, arrays: Iterable[np.ndarray]) -> "Images":
        """The images of uint8 arrays `[height, width, channels]`."""
        return cls([Image.fromarray(a[..., 0] if a.shape[-1] == 1 else a) for a in arrays])

    def save(self, folder: str | os.PathLike) -> list[pathlib.Path]:
        """Writes each image to a folder as `<number>.png`; files that exist are replaced."""
        files = output_paths(folder, [f"{number:06d}" for number in range(len(self))], ".png")
        for file, image in zip(files, self, strict=True):
            write_picture(file, np.asarray(image), Made.IMAGE)
        return files

    def __repr__(self) -> str:
        size = f" of {self[0].width}x{self[0].height} pixels" if self else ""
        return f"<{len(self)} generated images{size}>"

    def _repr_png_(self) -> bytes:
        if len({image.size for image in self}) > 1:
            pictures = [("", np.asarray(image.convert("RGB"))) for image in self[:_MOST_SHOWN]]
            return figures.png(figures.column([figures.row([one]) for one in pictures]))
        arrays = [np.asarray(image) for image in self[:_MOST_SHOWN]]
        pictures = [("", a if a.ndim == 3 else a[..., None]) for a in arrays]
        rows = [pictures[i : i + _IN_A_ROW] for i in range(0, len(pictures), _IN_A_ROW)]
        return figures.png(grids.tiles(rows) if rows else figures.column([]))
