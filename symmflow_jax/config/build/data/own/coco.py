"""Opening of images with a JSON file of COCO."""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping

from symmflow_jax.config.build.data.openers import uses
from symmflow_jax.config.build.data.own import classes as own_classes
from symmflow_jax.config.build.data.own.notes import unread, unused
from symmflow_jax.config.build.data.own.splits import (
    ANNOTATIONS,
    IMAGES,
    OWN,
    annotated_source,
    annotations_place,
    images_folder,
    is_first,
)
from symmflow_jax.config.values import DataConfig
from symmflow_jax.data.annotations.coco import read_coco
from symmflow_jax.data.folders.listing import counted, list_pictures, shorten
from symmflow_jax.data.source import DataError, Source
from symmflow_jax.data.sources.annotated.annotated_images import Annotated
from symmflow_jax.runtime.errors import shown


@uses(*OWN, "eval_split", *IMAGES, *ANNOTATIONS, "class_ids", "class_labels")
def from_coco(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a source from a folder of images and a JSON file of COCO.

    Raises:
        DataError: if a file is missing or is something else, or if classes are no categories.
    """
    del seed
    images, path = images_folder(data, train), _coco_path(data, train)
    found = read_coco(path)
    background = _background(found.categories)
    classes = own_classes.of_labels(data, found.categories, background)
    drawn = frozenset(classes.known_ids) - {background}
    files = _by_name(images)
    missing = sorted(name for name in found.images if _place(name, files) is None)
    if missing:
        raise DataError(
            f"{counted(len(missing), 'image')} of {shown(path)} {'are' if missing[1:] else 'is'} "
            f"not in {shown(images.absolute())}: {shorten(map(shown, missing))}. Set "
            "config.data.train_images and config.data.eval_images, or add the files."
        )
    examples = [
        Annotated(
            name,
            _placed(name, files),
            dataclasses.replace(image, drawn=drawn, background=background),
        )
        for name, image in found.images.items()
    ]
    notes = [
        *unread(found.categories, drawn, path),
        *unused(len(files) - len(examples), "picture", images, f"without an entry in {path.name}"),
        *unused(found.num_boxes, "annotation", path, "that are boxes without a segmentation"),
    ]
    return annotated_source(constructor, examples, classes, data, train, notes)


def _coco_path(data: DataConfig, train: bool) -> pathlib.Path:
    """The JSON file of a split: that of the config, or the only one beside its images."""
    given = annotations_place(data, train)
    if given is not None and not given.is_dir():
        return given
    folder = given or images_folder(data, train)
    found = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if len(found) == 1:
        return found[0]
    key = "train_annotations" if is_first(data, train) else "eval_annotations"
    raise DataError(
        f"{shown(folder.absolute())} has {counted(len(found), 'JSON file')}; set "
        f"--config.data.{key} to the one of COCO, such as annotations/instances_train2017.json."
    )


def _by_name(images: pathlib.Path) -> dict[str, pathlib.Path]:
    """The pictures in and below a folder by their path in it."""
    found = list_pictures(images, nested=True).pictures.values()
    return {path.relative_to(images).as_posix(): path for path in found}


def _place(name: str, files: Mapping[str, pathlib.Path]) -> pathlib.Path | None:
    """The file of an image that an annotation names, perhaps with folders that are not there."""
    return files.get(name) or files.get(name.replace("\\", "/").rpartition("/")[2])


def _placed(name: str, files: Mapping[str, pathlib.Path]) -> pathlib.Path:
    path = _place(name, files)
    assert path is not None
    return path


def _background(found: Mapping[int, str]) -> int:
    """An id for pixels without a region: 0 if no label has it, else the next free one."""
    return 0 if 0 not in found else max(found) + 1
