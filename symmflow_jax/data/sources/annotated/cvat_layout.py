"""The folders of CVAT's "Segmentation mask 1.1", which are those of Pascal VOC."""

import pathlib

from symmflow_jax.data.folders.listing import counted, list_pictures, shorten
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.errors import first_line, shown

LABELMAP = "labelmap.txt"
_MASKS, _LISTS = "SegmentationClass", pathlib.PurePath("ImageSets", "Segmentation")
_IMAGES = ("JPEGImages", "images")


def pairs_of(
    root: pathlib.Path, split: str
) -> tuple[list[str], list[tuple[pathlib.Path, pathlib.Path]]]:
    """The names of the examples of a split, and their images with their masks.

    Args:
        root: the unpacked export.
        split: name of a list in `ImageSets/Segmentation`; CVAT's own is "default".

    Raises:
        DataError: if a folder or the list is missing, or the list names files that are not there.
    """
    names = _listed(root, split)
    images_folder = next((root / name for name in _IMAGES if (root / name).is_dir()), None)
    if images_folder is None:
        raise DataError(
            f"{shown(root.absolute())} has no folder JPEGImages. Export from CVAT with 'Save "
            "images', or copy the images there."
        )
    images = list_pictures(images_folder, nested=True).pictures
    masks = list_pictures(root / _MASKS, nested=True).pictures
    for what, found, folder in (("image", images, images_folder), ("mask", masks, root / _MASKS)):
        missing = [name for name in names if name not in found]
        if missing:
            raise DataError(
                f"{shown(folder)} lacks the {what} of {counted(len(missing), 'example')} that the "
                f"list {split}.txt names: {shorten(map(shown, missing))}. Add the files, or take "
                "the lines out."
            )
    return names, [(images[name], masks[name]) for name in names]


def _listed(root: pathlib.Path, split: str) -> list[str]:
    folder = root / _LISTS
    path = folder / f"{split}.txt"
    if not path.is_file():
        found = sorted(one.stem for one in folder.glob("*.txt")) if folder.is_dir() else []
        raise DataError(
            f"{shown(path.absolute())} does not exist; the lists there are "
            f"{', '.join(found) or 'none'}. Set config.data.train_split and "
            "config.data.eval_split, or one of them and config.data.val_share."
        )
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeError) as error:
        raise DataError(f"{shown(path)} cannot be read ({first_line(error)}).") from error
    names = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not names:
        raise DataError(f"{shown(path)} names no examples; export the task from CVAT again.")
    return names
