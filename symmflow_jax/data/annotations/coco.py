"""The JSON files of COCO: polygons and run lengths of objects (cocodataset.org/#format-data)."""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symmflow_jax.data.annotations.annotation import check_size, read_json
from symmflow_jax.data.folders.listing import shorten
from symmflow_jax.data.packages import package
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.errors import first_line, shown

_WHAT = "JSON file of COCO with images, annotations and categories"


@dataclasses.dataclass(frozen=True)
class CocoFile:
    """A file of annotations.

    Attributes:
        path: the file.
        categories: name of each category by its id.
        images: name of each image's file, with its annotations, in the order of the names.
        num_boxes: number of annotations that are boxes alone, which are no regions.
    """

    path: pathlib.Path
    categories: dict[int, str]
    images: dict[str, "CocoImage"]
    num_boxes: int


@dataclasses.dataclass(frozen=True)
class CocoImage:
    """The annotations of one image.

    Regions are drawn by pycocotools, the largest first, so that small ones stay visible.

    Attributes:
        path: the file of annotations.
        name: the file of the image in it.
        height, width: size of the image in it.
        regions: category, segmentation and id of each annotation.
        drawn: the categories that are drawn.
        background: id of the pixels without a region.
    """

    path: pathlib.Path
    name: str
    height: int
    width: int
    regions: tuple[tuple[int, Any, int], ...]
    drawn: frozenset[int] = frozenset()
    background: int = 0

    def ids(self, size: tuple[int, int]) -> np.ndarray:
        """The ids of the pixels; see `Annotation`."""
        check_size(self.path, self.name, (self.height, self.width), size)
        found = [
            (category, self._decoded(segmentation, number))
            for category, segmentation, number in self.regions
            if category in self.drawn
        ]
        mask = np.full(size, self.background, np.int32)
        for category, region in sorted(found, key=lambda item: -int(item[1].sum())):
            mask[region] = category
        return mask

    def _decoded(self, segmentation: Any, number: int) -> np.ndarray:
        """A region, bool `[height, width]`."""
        coco = package("pycocotools.mask", "coco", "A JSON file of COCO")
        where = f"{shown(self.path)}: the segmentation of annotation {number} ({shown(self.name)})"
        if isinstance(segmentation, dict):
            size = segmentation.get("size")
            if list(size or ()) != [self.height, self.width]:
                raise DataError(
                    f"{where} has the size {size}, and the image {[self.height, self.width]} "
                    "(height, width); export it again."
                )
        try:
            return coco.decode(_as_rle(coco, segmentation, self.height, self.width)).astype(bool)
        except Exception as error:  # pycocotools meets other values with many kinds of error.
            raise DataError(f"{where} cannot be read ({first_line(error)}).") from error


def read_coco(path: pathlib.Path) -> CocoFile:
    """Reads a file of annotations.

    Raises:
        DataError: if it cannot be read, has another form, or has boxes alone.
    """
    values = read_json(path, _WHAT)
    try:
        categories = {int(one["id"]): str(one["name"]) for one in values["categories"]}
        entries = {one["id"]: one for one in values["images"]}
        images = {one["id"]: [] for one in values["images"]}  # type: dict[Any, list]
        boxes = 0
        for one in values["annotations"]:
            if not one.get("segmentation"):
                boxes += 1
            else:
                region = (int(one["category_id"]), one["segmentation"], int(one["id"]))
                images[one["image_id"]].append(region)
        found = {
            str(one["file_name"]): CocoImage(
                path, str(one["file_name"]), int(one["height"]), int(one["width"]),
                tuple(images[one["id"]]),
            )
            for one in sorted(entries.values(), key=lambda one: str(one["file_name"]))
        }  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"{type(error).__name__}: {first_line(error)}"
        raise DataError(f"{shown(path)} is no {_WHAT} ({reason}); export it again.") from error
    _check(path, categories, entries, found, boxes)
    return CocoFile(path, categories, found, boxes)


def _check(
    path: pathlib.Path,
    categories: Mapping[int, str],
    entries: Mapping[Any, Any],
    found: Mapping[str, CocoImage],
    boxes: int,
) -> None:
    """Raises DataError for what would be read otherwise than it is meant."""
    if len(found) < len(entries):
        names = [str(one["file_name"]) for one in entries.values()]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DataError(
            f"{shown(path)} has several images of one file_name ({shorten(map(shown, twice))}); "
            "give each file a name of its own, for instance with its folder."
        )
    if boxes and not any(image.regions for image in found.values()):
        raise DataError(
            f"{shown(path)} has {boxes} boxes and no segmentation, so it gives no masks; export it "
            "with polygons or run lengths."
        )
    used = {category for image in found.values() for category, _, _ in image.regions}
    unknown = sorted(used - categories.keys())
    if unknown:
        raise DataError(
            f"{shown(path)} has annotations of the categories {shorten(map(str, unknown))}, which "
            "its list of categories lacks; export it again."
        )


def _as_rle(coco: Any, segmentation: Any, height: int, width: int) -> Any:
    """The compressed run lengths of polygons, or of run lengths in either form."""
    if isinstance(segmentation, dict):
        if isinstance(segmentation["counts"], str | bytes):
            return segmentation
        return coco.frPyObjects(segmentation, height, width)
    _check_polygons(segmentation)
    return coco.merge(coco.frPyObjects(segmentation, height, width))


def _check_polygons(polygons: Sequence[Sequence[float]]) -> None:
    for polygon in polygons:
        if len(polygon) < 6 or len(polygon) % 2:
            raise ValueError(f"a polygon has {len(polygon)} numbers, not x and y of 3 points")
