"""Images whose masks are drawn from annotations."""

import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from symmflow_jax.data.annotations.annotation import Annotation
from symmflow_jax.data.decoding.decoding import DEFAULT, Decoding
from symmflow_jax.data.packed.stored import Stored, content_of
from symmflow_jax.data.photos.photo import Photo, read_photo
from symmflow_jax.data.sources.segmentation.image_pairs import to_classes
from symmflow_jax.semantics.labels import LabelSchema


class Annotated(NamedTuple):
    """An image and its annotation.

    Attributes:
        name: the image's path in its folder.
        image: the image file.
        annotation: what is drawn.
    """

    name: str
    image: pathlib.Path
    annotation: Annotation


class AnnotatedImages:
    """Images "image" (see `Photo`) with "mask", integers `[height, width]`, drawn at each access.

    Regions are drawn at the size of the image as it is read, with its EXIF turn or without.

    Args:
        examples: the images with their annotations.
        schema: the classes, and their ids in the annotations.
        decoding: how images are decoded.
        notes: sentences on what is there and not used.

    Attributes:
        files: the images, and the files of their annotations.
        names: name of each example.
    """

    def __init__(
        self,
        examples: Sequence[Annotated],
        schema: LabelSchema,
        decoding: Decoding = DEFAULT,
        notes: Sequence[str] = (),
    ):
        self._examples = tuple(examples)
        self._schema = schema
        self._decoding = decoding
        self.notes = tuple(notes)

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """The classes of "mask"."""
        return {"mask": self._schema}

    @property
    def names(self) -> tuple[str, ...]:
        """The path of each image in its folder."""
        return tuple(example.name for example in self._examples)

    @property
    def files(self) -> tuple[pathlib.Path, ...]:
        """The images, followed by the files of annotations that exist, each once."""
        paths = dict.fromkeys(example.annotation.path for example in self._examples)
        found = [path for path in paths if path.exists()]
        return (*(example.image for example in self._examples), *found)

    def only(self, indices: Sequence[int]) -> "AnnotatedImages":
        """The source of some of the examples."""
        chosen = [self._examples[index] for index in indices]
        return AnnotatedImages(chosen, self._schema, self._decoding, self.notes)

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        photo, mask = self._read(index)
        return {"image": photo.image, "mask": mask}

    def stored(self, index: int) -> Stored:
        """An example as its file holds it, with its mask; raises DataError as an access does."""
        path = self._examples[index].image
        _, mask = self._read(index)
        return Stored(path, content_of(path), mask)

    def _read(self, index: int) -> tuple[Photo, np.ndarray]:
        example = self._examples[index]
        photo = read_photo(example.image, self._decoding)
        ids = example.annotation.ids(photo.size)
        return photo, to_classes(ids, self._schema, example.annotation.path)
