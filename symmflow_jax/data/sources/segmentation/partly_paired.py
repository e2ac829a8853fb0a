"""A folder of images and a folder of masks in which some files have no partner."""

import pathlib
from collections.abc import Sequence
from typing import Any

from symmflow_jax.data.decoding.decoding import DEFAULT, Decoding, decode
from symmflow_jax.data.folders.listing import counted, list_pictures
from symmflow_jax.data.folders.partial_pairing import pair_what_fits
from symmflow_jax.data.mixing.image_folder import ImageFiles
from symmflow_jax.data.mixing.incomplete import Chain, Incomplete
from symmflow_jax.data.source import DataError, Source
from symmflow_jax.data.sources.segmentation.image_pairs import ImagePairs, classes_of
from symmflow_jax.flow.state import JointState
from symmflow_jax.runtime.errors import shown
from symmflow_jax.semantics.labels import LabelSchema
from symmflow_jax.semantics.palettes import Palette


class PartlyPaired(ImagePairs):
    """The pairs of two folders, as of `PairedFolder`, and beside them the files without a partner.

    Args:
        images: folder of the images.
        masks: folder of the masks.
        schema: the classes, and their ids in the masks.
        colours: colour of each class if the masks are colour images.
        decoding: limit of the files' sizes, and whether EXIF orientations count.

    Attributes:
        incomplete: images without a mask, and masks without an image; None without any.
        notes: a sentence on how many there are of each.

    Raises:
        DataError: if a folder is missing or empty, if both are the same, or if there is no pair.
    """

    def __init__(
        self,
        images: str | pathlib.Path,
        masks: str | pathlib.Path,
        schema: LabelSchema,
        colours: Palette = (),
        decoding: Decoding = DEFAULT,
    ):
        images, masks = pathlib.Path(images), pathlib.Path(masks)
        if images.is_dir() and masks.is_dir() and images.samefile(masks):
            raise DataError(
                f"{shown(images.absolute())} is the folder of the images and of the masks; with "
                "config.data.unlabelled='learn' each needs a folder of its own."
            )
        found = pair_what_fits(
            list_pictures(images, apart=(masks,)), list_pictures(masks, apart=(images,))
        )
        if not found.pairs:
            raise DataError(
                f"No image in {shown(images.absolute())} has a mask of its name in "
                f"{shown(masks.absolute())}; give each mask the name of its image."
            )
        super().__init__(found.pairs, schema, colours, decoding)
        self.incomplete = _incomplete(found.images, found.masks, schema, colours, decoding)
        self.notes = (
            f"{shown(images)}: {counted(len(found.pairs), 'pair')}, "
            f"{counted(len(found.images), 'image')} without a mask and "
            f"{counted(len(found.masks), 'mask')} without an image.",
        )


class MaskFiles:
    """Masks "mask", integers `[height, width]`, without images, read at each access.

    Args:
        files: the mask files.
        schema: the classes, and their ids in the masks.
        colours: colour of each class if the masks are colour images.
        decoding: limit of the files' sizes, and whether EXIF orientations count.
    """

    def __init__(
        self,
        files: Sequence[pathlib.Path],
        schema: LabelSchema,
        colours: Palette = (),
        decoding: Decoding = DEFAULT,
    ):
        self.files = tuple(files)
        self._schema, self._colours, self._decoding = schema, colours, decoding

    @property
    def schemas(self) -> dict[str, LabelSchema]:
        """The classes of "mask"."""
        return {"mask": self._schema}

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> dict[str, Any]:
        path = self.files[index]
        mask = decode(path, self._decoding)
        return {"mask": classes_of(mask, path, self._schema, self._colours)}


def _incomplete(
    images: Sequence[pathlib.Path],
    masks: Sequence[pathlib.Path],
    schema: LabelSchema,
    colours: Palette,
    decoding: Decoding,
) -> Incomplete | None:
    sources: list[Source] = []
    if images:
        sources.append(ImageFiles(images, decoding))
    if masks:
        sources.append(MaskFiles(masks, schema, colours, decoding))
    if not sources:
        return None
    total = len(images) + len(masks)
    return Incomplete(Chain(tuple(sources)), JointState(len(images) / total, len(masks) / total))
