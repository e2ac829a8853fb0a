"""The text files of YOLO: a polygon in each line (docs.ultralytics.com, "segment" datasets)."""

import dataclasses
import pathlib

import numpy as np
import yaml

from symmflow_jax.data.packages import package
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.errors import first_line, shown


@dataclasses.dataclass(frozen=True)
class YoloImage:
    """The polygons of one image.

    A line is the number of a class and x and y of each point as shares of width and height. OpenCV
    draws the polygons at whole pixels, as Ultralytics does: those of large areas first, so that
    small ones stay visible.

    Attributes:
        path: the text file; without a file there are no polygons.
        known: the numbers of all classes of the data set.
        drawn: the numbers that are drawn.
        background: id of the pixels without a polygon.
    """

    path: pathlib.Path
    known: frozenset[int]
    drawn: frozenset[int]
    background: int

    def ids(self, size: tuple[int, int]) -> np.ndarray:
        """The ids of the pixels; see `Annotation`."""
        mask = np.full(size, self.background, np.int32)
        polygons = read_polygons(self.path, self.known)
        if not polygons:
            return mask
        cv2 = package("cv2", "yolo", "A data set of YOLO")
        regions = []
        for number, points in polygons:
            region = np.zeros(size, np.uint8)
            # Shares in float32, cut off to pixels: the same numbers as of Ultralytics.
            corners = (points * np.asarray(size[::-1], np.float32)).astype(np.int32)
            cv2.fillPoly(region, [corners], 1)
            regions.append((number, region.astype(bool)))
        for number, region in sorted(regions, key=lambda item: -int(item[1].sum())):
            if number in self.drawn:
                mask[region] = number
        return mask


def read_polygons(path: pathlib.Path, known: frozenset[int]) -> list[tuple[int, np.ndarray]]:
    """Class and points, float32 `[n, 2]` in [0, 1], of each polygon of a text file.

    Raises:
        DataError: if a line cannot be read, is a box, has points outside of the image, or a class
            that is not known.
    """
    if not path.exists():
        return []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeError) as error:
        raise DataError(f"{shown(path)} cannot be read ({first_line(error)}).") from error
    return [
        _polygon(line.split(), f"{shown(path)}, line {number}", known)
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]


def _polygon(words: list[str], where: str, known: frozenset[int]) -> tuple[int, np.ndarray]:
    try:
        number = int(words[0])
        shares = np.asarray([float(word) for word in words[1:]], np.float32)
    except ValueError as error:
        raise DataError(
            f"{where} is no class with the points of a polygon ({first_line(error)})."
        ) from error
    if len(shares) == 4:
        raise DataError(
            f"{where} is a box, which gives no mask; export the data set for segmentation."
        )
    if len(shares) < 6 or len(shares) % 2:
        raise DataError(f"{where} has {len(shares)} numbers, not x and y of at least 3 points.")
    if not (shares.min() >= 0 and shares.max() <= 1):
        raise DataError(
            f"{where} has points from {shares.min():g} to {shares.max():g}; they are shares of the "
            "width and height, from 0 to 1."
        )
    if number not in known:
        raise DataError(
            f"{where} has the class {number}, but the classes are {sorted(known)}; name it in "
            "data.yaml, or in config.data.class_names and config.data.class_ids."
        )
    return number, shares.reshape(-1, 2)


def read_names(folder: pathlib.Path) -> dict[int, str]:
    """The names of the classes in the `data.yaml` of a data set; empty without that file.

    Raises:
        DataError: if the file has no list and no mapping of names.
    """
    path = next((folder / name for name in _FILES if (folder / name).is_file()), None)
    if path is None:
        return {}
    try:
        names = yaml.safe_load(path.read_text(encoding="utf-8-sig"))["names"]
        items = names.items() if isinstance(names, dict) else enumerate(names)
        return {int(number): str(name) for number, name in items}
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{shown(path)} has no names of classes ({first_line(error)}); write them as "
            "names: [road, car]."
        ) from error


_FILES = ("data.yaml", "data.yml", "dataset.yaml")


def labels_folder(images: pathlib.PurePath) -> pathlib.PurePath:
    """Where the text files of a folder of images usually are: `labels` in the place of `images`."""
    parts = list(images.parts)
    for place in reversed(range(len(parts))):
        if parts[place] == "images":
            parts[place] = "labels"
            return type(images)(*parts)
    return images
