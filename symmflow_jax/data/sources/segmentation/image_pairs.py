"""Images and their masks as pairs of image files."""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from symmflow_jax.data.decoding.decoding import DEFAULT, Decoded, Decoding, decode
from symmflow_jax.data.decoding.header import AS_STORED
from symmflow_jax.data.image_files import to_rgb
from symmflow_jax.data.masks.colours import ids_of_colours
from symmflow_jax.data.masks.ids import ids_of
from symmflow_jax.data.masks.palettes import palette_of
from symmflow_jax.data.masks.unknown_ids import explain
from symmflow_jax.data.packed.stored import Stored, content_of
from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.segmentation.pair import Pair
from symmflow_jax.data.sources.segmentation.pair_notes import PairNotes
from symmflow_jax.semantics.labels import LabelSchema, UnknownIds
from symmflow_jax.semantics.palettes import Palette


class ImagePairs:
    """RGB Pillow images "image" with "mask", integers `[height, width]`.

    Files are read at each access. An access raises DataError for a pair that cannot be read,
    whose sizes differ, or whose ids or colours belong to no class. What else looks wrong is logged
    once; see `PairNotes`.

    Args:
        pairs: files of each image and its mask; see `open_image`, `read_mask` and
            `read_coloured_mask`.
        schema: the classes, and their ids in the masks.
        colours: colour of each class if the masks are colour images; then the ids of the schema
            are unused.
        decoding: limit of the files' sizes, and whether EXIF orientations count.
    """

    def __init__(
        self,
        pairs: Sequence[tuple[pathlib.Path, pathlib.Path]],
        schema: LabelSchema,
        colours: Palette = (),
        decoding: Decoding = DEFAULT,
    ):
        self.pairs = tuple(pairs)
        self.colours = colours
        self._schema = schema
        self.decoding = decoding
        self._notes = PairNotes(decoding.applies_exif)

    has_pairs = True

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
        pair = self.read(index)
        self._notes.look(pair)
        return {"image": pair.image, "mask": pair.mask}

    def read(self, index: int) -> Pair:
        """A pair with what its files say; raises DataError as an access does."""
        image_path, mask_path = self.pairs[index]
        image, mask = decode(image_path, self.decoding), decode(mask_path, self.decoding)
        return pair_of(
            image, mask, self.pairs[index], self._schema, self.decoding, colours=self.colours
        )

    def stored(self, index: int) -> Stored:
        """An example as its files hold it; raises DataError as an access does."""
        image_path, mask_path = self.pairs[index]
        pair = self.read(index)
        mask, orientation = pair.mask, pair.mask_header.orientation
        if orientation != AS_STORED and self.decoding.applies_exif:
            as_stored = dataclasses.replace(self.decoding, applies_exif=False)
            raw = decode(mask_path, as_stored)
            ids = _ids(raw, mask_path, self._schema, self.colours)
            mask = _classes(ids, mask_path, self._schema, self.colours)
        return Stored(image_path, content_of(image_path), mask, orientation)


def pair_of(
    image: Decoded,
    mask: Decoded,
    paths: tuple[pathlib.Path, pathlib.Path],
    schema: LabelSchema,
    decoding: Decoding,
    *,
    colours: Palette = (),
) -> Pair:
    """The pair of a decoded image and its decoded mask.

    Args:
        image: the image.
        mask: the mask.
        paths: their files, or names of them for messages.
        schema: the classes, and their ids in the mask.
        decoding: how both were decoded.
        colours: colour of each class if the mask is a colour image.

    Raises:
        DataError: if the sizes differ, or if ids or colours belong to no class.
    """
    image_path, mask_path = paths
    if image.picture.size != mask.picture.size:
        raise DataError(_explain_sizes(image_path, image, mask_path, mask, decoding))
    ids = _ids(mask, mask_path, schema, colours)
    return Pair(
        image=to_rgb(image, image_path),
        mask=_classes(ids, mask_path, schema, colours),
        ids=ids,
        image_header=image.header,
        mask_header=mask.header,
        palette=None if colours else palette_of(mask.picture),
        paths=paths,
    )


def _ids(mask: Decoded, path: pathlib.Path, schema: LabelSchema, colours: Palette) -> np.ndarray:
    if colours:
        return ids_of_colours(mask, path, colours)
    return ids_of(mask, path, schema.known_ids)


def _classes(
    ids: np.ndarray, path: pathlib.Path, schema: LabelSchema, colours: Palette
) -> np.ndarray:
    return ids if colours else to_classes(ids, schema, path)


def classes_of(
    mask: Decoded, path: pathlib.Path, schema: LabelSchema, colours: Palette
) -> np.ndarray:
    """The classes of a decoded mask alone, integers `[height, width]`; raises DataError."""
    return _classes(_ids(mask, path, schema, colours), path, schema, colours)


def _explain_sizes(
    image_path: pathlib.Path,
    image: Decoded,
    mask_path: pathlib.Path,
    mask: Decoded,
    decoding: Decoding,
) -> str:
    (width, height), (mask_width, mask_height) = image.picture.size, mask.picture.size
    start = (
        f"{image_path} is {width}x{height} but its mask {mask_path} is "
        f"{mask_width}x{mask_height} (width x height)"
    )
    applies = decoding.applies_exif
    if image.header.size(not applies) != mask.header.size(not applies):
        return f"{start}; make the mask again in the size of the image."
    turns = image.header.orientation, mask.header.orientation
    orientations = f"EXIF orientations (image {turns[0]}, mask {turns[1]})"
    if applies:
        return (
            f"{start} after their {orientations} were applied. The mask fits the raw pixels: "
            "set --config.data.exif=ignore if all masks were drawn on raw pixels."
        )
    return (
        f"{start} as raw pixels. The mask fits the turned image, by the {orientations}: set "
        "--config.data.exif=apply if all masks were drawn on turned images."
    )


def to_classes(
    ids: np.ndarray, schema: LabelSchema, path: pathlib.Path, *, classes_are_fixed: bool = False
) -> np.ndarray:
    """Maps the ids of a mask file to classes by `from_raw`.

    Args:
        ids: ids of the file.
        schema: the classes.
        path: the file, for errors.
        classes_are_fixed: True if no key of the config changes the classes, as of a trained model.

    Raises:
        DataError: if ids have no class; the message says what they may mean, and the remedy.
    """
    try:
        return schema.from_raw(ids, str(path))
    except UnknownIds as error:
        raise DataError(explain(error, ids, schema.known_ids, path, classes_are_fixed)) from error
