"""The files that go with photos: their masks, old masks and regions."""

import logging
import pathlib
from collections.abc import Sequence

from symmflow_jax.data.source import DataError
from symmflow_jax.inference.files.inputs import image_paths, some_names
from symmflow_jax.inference.files.made import Made
from symmflow_jax.runtime.errors import shown

_logger = logging.getLogger(__name__)


def partners(
    photos: Sequence[pathlib.Path], path_name: str, name: str
) -> dict[pathlib.Path, pathlib.Path]:
    """The file that goes with each photo, such as its mask; none at all if there is no path.

    Args:
        photos: the photos.
        path_name: a file for one photo, or a folder, where `cat.png` goes with the photo `cat.jpg`.
        name: what gives it, for messages.

    Raises:
        DataError: if a photo has none, or several.
    """
    if not path_name:
        return {}
    found = image_paths(path_name, Made.MASK, name)
    if len(photos) == 1 and pathlib.Path(path_name).is_file():
        return {photos[0]: found[0]}
    by_stem: dict[str, list[pathlib.Path]] = {}
    for path in found:
        by_stem.setdefault(path.stem, []).append(path)
    without = [photo.name for photo in photos if len(by_stem.get(photo.stem, [])) != 1]
    if without:
        raise DataError(
            f"{name}={shown(path_name)} has not one file for each photo: {len(without)} have none "
            f"or several ({some_names(without)}). A photo cat.jpg goes with cat.png."
        )
    others = sorted(set(by_stem) - {photo.stem for photo in photos})
    if others:
        _logger.info(
            "Passed over in %s: files of no photo, %d (%s).", name, len(others), some_names(others)
        )
    return {photo: by_stem[photo.stem][0] for photo in photos}
