"""A folder of images without masks or labels."""

import pathlib
from collections.abc import Sequence
from typing import Any

from symmflow_jax.data.decoding.decoding import DEFAULT, Decoding
from symmflow_jax.data.folders.listing import list_pictures
from symmflow_jax.data.image_files import open_image
from symmflow_jax.semantics.labels import LabelSchema


class ImageFiles:
    """RGB Pillow images "image", read at each access.

    Args:
        files: the image files.
        decoding: limit of the files' sizes, and whether EXIF orientations count.
    """

    def __init__(self, files: Sequence[pathlib.Path], decoding: Decoding = DEFAULT):
        self.files = tuple(files)
        self._decoding = decoding

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """Empty, since there are no labels."""
        return {}

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"image": open_image(self.files[index], self._decoding)}


def image_folder(folder: pathlib.Path, decoding: Decoding = DEFAULT) -> ImageFiles:
    """The images of a folder, or of its sub-folders if it has none itself, by their names.

    Raises:
        DataError: if the folder is missing or has no images.
    """
    pictures = list_pictures(folder).pictures
    return ImageFiles([pictures[name] for name in sorted(pictures)], decoding)
