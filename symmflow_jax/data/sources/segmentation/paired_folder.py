"""A folder of images and a folder of masks, paired by file name."""

import pathlib
from collections.abc import Iterable

from symmflow_jax.data.decoding.decoding import DEFAULT, Decoding
from symmflow_jax.data.image_files import SUFFIXES
from symmflow_jax.data.source import DataError
from symmflow_jax.data.sources.segmentation.image_pairs import ImagePairs
from symmflow_jax.semantics.labels import LabelSchema
from symmflow_jax.semantics.palettes import Palette

_NUM_SHOWN = 5


class PairedFolder(ImagePairs):
    """RGB Pillow images "image" with "mask", integers `[height, width]`.

    An image and its mask have the same name except for the suffix (.png, .jpg, .jpeg, .bmp or
    .webp, in upper or lower case). Other files and hidden files are ignored. Pairs are sorted by
    name.

    Args:
        images: folder of the images.
        masks: folder of the masks.
        schema: the classes, and their ids in the masks.
        colours: colour of each class if the masks are colour images.
        decoding: limit of the files' sizes, and whether EXIF orientations count.

    Raises:
        DataError: if a folder is missing or empty, if files of a folder share a name, or if
            images and masks do not pair up.
    """

    def __init__(
        self,
        images: str | pathlib.Path,
        masks: str | pathlib.Path,
        schema: LabelSchema,
        colours: Palette = (),
        decoding: Decoding = DEFAULT,
    ):
        image_files, mask_files = _list(pathlib.Path(images)), _list(pathlib.Path(masks))
        _check_partners(pathlib.Path(images), image_files, pathlib.Path(masks), mask_files)
        pairs = [(image_files[stem], mask_files[stem]) for stem in sorted(image_files)]
        super().__init__(pairs, schema, colours, decoding)


def _list(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """The image files of a folder by their names without suffix."""
    if not folder.is_dir():
        raise DataError(
            f"The folder {folder.absolute()} does not exist. Set --config.data.dir and the folders "
            "of images and masks under it (config.data.train_images and so on)."
        )
    files: dict[str, pathlib.Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in files:
            raise DataError(
                f"{files[path.stem]} and {path.name} have the same name; remove one of them."
            )
        files[path.stem] = path
    if not files:
        raise DataError(f"{folder.absolute()} contains no images ({', '.join(SUFFIXES)}).")
    return files


def _check_partners(
    images: pathlib.Path,
    image_files: dict[str, pathlib.Path],
    masks: pathlib.Path,
    mask_files: dict[str, pathlib.Path],
) -> None:
    complaints = [
        f"{len(stems)} of the files in {folder} have no {partner} of the same name in {other}: "
        f"{_shorten(files[stem].name for stem in sorted(stems))}."
        for folder, files, partner, other, stems in (
            (images, image_files, "mask", masks, image_files.keys() - mask_files.keys()),
            (masks, mask_files, "image", images, mask_files.keys() - image_files.keys()),
        )
        if stems
    ]
    if complaints:
        raise DataError(" ".join([*complaints, "Add the missing files or remove these."]))


def _shorten(names: Iterable[str]) -> str:
    names = list(names)
    rest = ", ..." if len(names) > _NUM_SHOWN else ""
    return ", ".join(names[:_NUM_SHOWN]) + rest
