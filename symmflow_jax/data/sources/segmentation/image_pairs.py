"""Images and their masks as pairs of image files."""

import dataclasses
import logging
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from symmflow_jax.data.image_files import DEFAULT, Decoded, Decoding, Header, decode, to_rgb
from symmflow_jax.data.masks.colours import ids_of_colours
from symmflow_jax.data.masks.ids import ids_of
from symmflow_jax.data.masks.palettes import PaletteComparison, palette_of
from symmflow_jax.data.masks.unknown_ids import explain
from symmflow_jax.data.source import DataError
from symmflow_jax.semantics.labels import LabelSchema, UnknownIds
from symmflow_jax.semantics.palettes import Palette

_logger = logging.getLogger(__name__)

_NO_COLOURS = (
    "Masks are read by index. If the colours tell the classes, set config.data.class_colours to "
    "the colour of each class"
)


@dataclasses.dataclass(frozen=True)
class Pair:
    """An image and its mask, and what their files say.

    Attributes:
        image: the RGB image.
        mask: the classes, integers `[height, width]`.
        ids: the numbers in the mask's file; classes if the file has the colours of classes.
        image_header: what the file of the image says.
        mask_header: what the file of the mask says.
        palette: colours of the mask's palette, if it is read by index and has one.
    """

    image: Image.Image
    mask: np.ndarray
    ids: np.ndarray
    image_header: Header
    mask_header: Header
    palette: bytes | None

    @property
    def has_other_turn(self) -> bool:
        """True if one of the files is turned by EXIF and the other is not, or otherwise."""
        return self.image_header.orientation != self.mask_header.orientation

    @property
    def sizes_tell_turn(self) -> bool:
        """True if the sizes would differ if EXIF were handled the other way."""
        return any(
            self.image_header.size(applies) != self.mask_header.size(applies)
            for applies in (True, False)
        )


class ImagePairs:
    """RGB Pillow images "image" with "mask", integers `[height, width]`.

    Files are read at each access. An access raises DataError for a pair that cannot be read,
    whose sizes differ, or whose ids or colours belong to no class. The first palette that differs
    from those before it, and the first EXIF turn that only one file of a pair has and that the
    sizes do not confirm, are logged.

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
        self._palettes: PaletteComparison | None = PaletteComparison()
        self._has_noted_turn = not decoding.applies_exif

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """The classes of "mask"."""
        return {"mask": self._schema}

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> dict[str, Any]:
        pair = self.read(index)
        if not self._has_noted_turn and pair.has_other_turn and not pair.sizes_tell_turn:
            self._note_turn(pair, *self.pairs[index])
        if self._palettes is not None and pair.palette is not None:
            self._compare_palette(pair.ids, pair.palette, self.pairs[index][1])
        return {"image": pair.image, "mask": pair.mask}

    def read(self, index: int) -> Pair:
        """A pair with what its files say; raises DataError as an access does."""
        image_path, mask_path = self.pairs[index]
        image, mask = decode(image_path, self.decoding), decode(mask_path, self.decoding)
        if image.picture.size != mask.picture.size:
            raise DataError(self._explain_sizes(image_path, image, mask_path, mask))
        ids = self._ids(mask, mask_path)
        return Pair(
            image=to_rgb(image, image_path),
            mask=ids if self.colours else to_classes(ids, self._schema, mask_path),
            ids=ids,
            image_header=image.header,
            mask_header=mask.header,
            palette=None if self.colours else palette_of(mask.picture),
        )

    def _ids(self, mask: Decoded, path: pathlib.Path) -> np.ndarray:
        if self.colours:
            return ids_of_colours(mask, path, self.colours)
        return ids_of(mask, path, self._schema.known_ids)

    def _explain_sizes(
        self, image_path: pathlib.Path, image: Decoded, mask_path: pathlib.Path, mask: Decoded
    ) -> str:
        (width, height), (mask_width, mask_height) = image.picture.size, mask.picture.size
        start = (
            f"{image_path} is {width}x{height} but its mask {mask_path} is "
            f"{mask_width}x{mask_height} (width x height)"
        )
        applies = self.decoding.applies_exif
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

    def _note_turn(self, pair: Pair, image_path: pathlib.Path, mask_path: pathlib.Path) -> None:
        self._has_noted_turn = True
        _logger.warning(
            "%s has the EXIF orientation %d and its mask %s has %d; it is turned, and their sizes "
            "do not tell if the mask was drawn on the turned image. If masks were drawn on raw "
            "pixels, set --config.data.exif=ignore. (Said once; --mode=check_data counts all.)",
            image_path,
            pair.image_header.orientation,
            mask_path,
            pair.mask_header.orientation,
        )

    def _compare_palette(self, ids: np.ndarray, palette: bytes, path: pathlib.Path) -> None:
        assert self._palettes is not None
        difference = self._palettes.find_difference(path, palette, ids)
        if difference:
            self._palettes = None
            _logger.warning(
                "The palettes of masks differ: %s. %s. (Said once; --mode=check_data lists all.)",
                difference,
                _NO_COLOURS,
            )


def to_classes(ids: np.ndarray, schema: LabelSchema, path: pathlib.Path) -> np.ndarray:
    """Maps the ids of a mask file to classes by `from_raw`.

    Raises:
        DataError: if ids have no class; the message says what they may mean, and the remedy.
    """
    try:
        return schema.from_raw(ids, str(path))
    except UnknownIds as error:
        raise DataError(explain(error, ids, schema.known_ids, path)) from error
