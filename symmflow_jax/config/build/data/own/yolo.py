"""Opening of images with the text files of YOLO."""

import pathlib
from collections.abc import Callable

from symmflow_jax.config.build.data.openers import uses
from symmflow_jax.config.build.data.own import classes as own_classes
from symmflow_jax.config.build.data.own.notes import bare, unread
from symmflow_jax.config.build.data.own.splits import (
    ANNOTATIONS,
    IMAGES,
    OWN,
    annotated_source,
    annotations_place,
    images_folder,
)
from symmflow_jax.config.schema.fields import ungrouped
from symmflow_jax.config.values import DataConfig
from symmflow_jax.data.annotations.yolo import YoloImage, labels_folder, read_names
from symmflow_jax.data.folders.listing import counted, list_pictures
from symmflow_jax.data.source import DataError, Source
from symmflow_jax.data.sources.annotated.annotated_images import Annotated
from symmflow_jax.runtime.errors import shown


@uses(*OWN, "eval_split", *IMAGES, *ANNOTATIONS, "class_ids", "class_labels")
def from_yolo(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a source from a folder of images and one of YOLO's text files with polygons.

    Raises:
        DataError: if a folder is missing, there are no text files, or classes have no number.
    """
    del seed
    images = images_folder(data, train)
    texts = annotations_place(data, train) or pathlib.Path(labels_folder(images))
    names = read_names(pathlib.Path(data.dir))
    known = names or dict(zip(_numbers(data), data.class_names, strict=False))
    if not known:
        raise DataError(
            f"{shown(data.dir)} has no data.yaml with the names of the classes. Add it, or set "
            "--config.data.class_names in the order of their numbers."
        )
    if not names:
        known |= {number: str(number) for number in ungrouped(data.class_ids) if number >= 0}
    background = max(known) + 1
    classes = own_classes.of_labels(data, known, background)
    drawn = frozenset(classes.known_ids) - {background}
    pictures = list_pictures(images, nested=True).pictures
    paths = {name: texts / f"{name}.txt" for name in pictures}
    if not any(path.exists() for path in paths.values()):
        raise DataError(
            f"{shown(texts.absolute())} has no text file for any of the "
            f"{counted(len(pictures), 'image')} in {shown(images)}, such as "
            f"{shown(next(iter(paths.values())).name)}. Set config.data.train_annotations and "
            "config.data.eval_annotations to the folders of the text files."
        )
    examples = [
        Annotated(name, image, YoloImage(paths[name], frozenset(known), drawn, background))
        for name, image in sorted(pictures.items())
    ]
    num_bare = sum(not path.exists() for path in paths.values())
    notes = [*unread(names, drawn, pathlib.Path(data.dir)), *bare(num_bare, images, "text file")]
    return annotated_source(constructor, examples, classes, data, train, notes)


def _numbers(data: DataConfig) -> list[int]:
    """The number of each class name of YOLO, without a data.yaml."""
    return [ids[0] if isinstance(ids, tuple) else ids for ids in data.class_ids] or list(
        range(len(data.class_names))
    )
