"""A folder of images and a folder of masks, paired by file name."""

import pathlib

from symmflow_jax.data.decoding.decoding import DEFAULT, Decoding
from symmflow_jax.data.folders.listing import Listing, counted, list_pictures
from symmflow_jax.data.folders.pairing import Pairing, pair
from symmflow_jax.data.folders.patterns import pair_by_pattern
from symmflow_jax.data.masks.colours import ClassColours
from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.segmentation.image_pairs import ImagePairs
from symmflow_jax.runtime.errors import shown
from symmflow_jax.semantics.labels import LabelSchema


class PairedFolder(ImagePairs):
    """Images "image" (see `Photo`) with "mask", integers `[height, width]`.

    An image and its mask have the same name except for the suffix, one of `SUFFIXES` in upper or
    lower case; see `pair` for names that differ, or `pair_by_pattern` with a pattern. Without one,
    pictures in sub-folders are read if there are none directly in the folder. Pairs are sorted by
    name.

    Args:
        images: folder of the images.
        masks: folder of the masks.
        schema: the classes, and their ids in the masks.
        colours: colour of each class if the masks are colour images.
        decoding: how the files are decoded.
        pattern: name of the mask of an image; "" for names that are equal.

    Attributes:
        notes: at most one sentence on files that are not used and on names that differ.

    Raises:
        DataError: if a folder is missing or empty, if files of a folder share a name, if both
            folders are the same, or if images and masks do not pair up.
    """

    def __init__(
        self,
        images: str | pathlib.Path,
        masks: str | pathlib.Path,
        schema: LabelSchema,
        colours: ClassColours = (),
        decoding: Decoding = DEFAULT,
        pattern: str = "",
    ):
        images, masks = pathlib.Path(images), pathlib.Path(masks)
        if pattern:
            pairing = pair_by_pattern(images, masks, pattern)
            super().__init__(pairing.pairs, schema, colours, decoding, _names(pairing, images))
            self.notes = tuple(
                f"{shown(images)}: {counted(len(self), 'pair')}; {note}." for note in pairing.notes
            )
            return
        if images.is_dir() and masks.is_dir() and images.samefile(masks):
            raise DataError(
                f"{shown(images.absolute())} is the folder of the images and of the masks; move "
                "the masks to a folder of their own with the names of their images, and set "
                "config.data.train_masks and config.data.eval_masks to it; or set "
                "config.data.mask_pattern to what the names of masks are, such as {stem}_mask."
            )
        image_files = list_pictures(images, apart=(masks,))
        mask_files = list_pictures(masks, apart=(images,))
        pairing = pair(image_files, mask_files)
        super().__init__(pairing.pairs, schema, colours, decoding, _names(pairing, images))
        self.notes = _notes(len(pairing.pairs), image_files, mask_files, pairing.notes)


def _names(pairing: Pairing, images: pathlib.Path) -> list[str]:
    """The path of each image in its folder."""
    return [image.relative_to(images).as_posix() for image, _ in pairing.pairs]


def _notes(
    num_pairs: int, images: Listing, masks: Listing, matched: tuple[str, ...]
) -> tuple[str, ...]:
    """One sentence on what is there and not used, and on names that differ."""
    unused = [
        f"not used in {shown(listing.folder)}: {listing.unused}"
        for listing in (images, masks)
        if listing.unused
    ]
    findings = "; ".join([*matched, *unused])
    if not findings:
        return ()
    return (f"{shown(images.folder)}: {counted(num_pairs, 'pair')}; {findings}.",)
