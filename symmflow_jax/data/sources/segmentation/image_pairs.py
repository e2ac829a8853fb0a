"""Images and their masks as pairs of image files."""

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from symmflow_jax.data.image_files import open_image, read_coloured_mask, read_mask
from symmflow_jax.data.source import DataError
from symmflow_jax.semantics.labels import LabelSchema
from symmflow_jax.semantics.palettes import Palette


class ImagePairs:
    """RGB Pillow images "image" with "mask", integers `[height, width]`.

    Files are read at each access. An access raises DataError for a pair that cannot be read,
    whose sizes differ, or whose ids or colours belong to no class.

    Args:
        pairs: files of each image and its mask; see `open_image`, `read_mask` and
            `read_coloured_mask`.
        schema: the classes, and their ids in the masks.
        colours: colour of each class if the masks are colour images; then the ids of the schema
            are unused.
    """

    def __init__(
        self,
        pairs: Sequence[tuple[pathlib.Path, pathlib.Path]],
        schema: LabelSchema,
        colours: Palette = (),
    ):
        self.pairs = tuple(pairs)
        self.colours = colours
        self._schema = schema

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """The classes of "mask"."""
        return {"mask": self._schema}

    @property
    def files(self) -> tuple[pathlib.Path, ...]:
        """Each image, followed by its mask."""
        return tuple(file for pair in self.pairs for file in pair)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> dict[str, Any]:
        image_path, mask_path = self.pairs[index]
        image, mask = open_image(image_path), self._read_mask(mask_path)
        if (image.height, image.width) != mask.shape:
            raise DataError(
                f"{image_path} is {image.width}x{image.height} but its mask {mask_path} is "
                f"{mask.shape[1]}x{mask.shape[0]} (width x height); make the mask again in the "
                "size of the image."
            )
        return {"image": image, "mask": mask}

    def _read_mask(self, path: pathlib.Path) -> np.ndarray:
        if self.colours:
            return read_coloured_mask(path, self.colours)
        return to_classes(read_mask(path), self._schema, path)


def to_classes(ids: np.ndarray, schema: LabelSchema, path: pathlib.Path) -> np.ndarray:
    """Maps the ids of a mask file to classes by `from_raw`; raises DataError for unknown ids."""
    try:
        return schema.from_raw(ids, str(path))
    except ValueError as error:
        raise DataError(str(error)) from error
