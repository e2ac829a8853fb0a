"""Opening of images with the JSON files of LabelMe."""

import pathlib
from collections.abc import Callable

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
)
from symmflow_jax.config.schema.fields import ungrouped
from symmflow_jax.config.values import DataConfig
from symmflow_jax.data.annotations.labelme import (
    BACKGROUND_LABEL,
    IGNORE_LABEL,
    LabelmeImage,
    labels_of,
    read_label_list,
)
from symmflow_jax.data.folders.listing import counted, list_pictures, shorten
from symmflow_jax.data.source import DataError, Source
from symmflow_jax.data.sources.annotated.annotated_images import Annotated
from symmflow_jax.runtime.errors import shown


@uses(*OWN, "eval_split", *IMAGES, *ANNOTATIONS, "class_labels")
def from_labelme(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a source from a folder of images and the JSON files of LabelMe.

    Raises:
        DataError: if there are no JSON files, or nothing names the classes.
    """
    del seed
    images = images_folder(data, train)
    files = annotations_place(data, train) or images
    pictures = list_pictures(images, nested=True).pictures
    paths = {name: files / f"{name}.json" for name in pictures}
    annotated = {name: path for name, path in paths.items() if path.exists()}
    if not annotated:
        raise DataError(
            f"{shown(files.absolute())} has no JSON file for any of the "
            f"{counted(len(pictures), 'image')} in {shown(images)}, such as "
            f"{shown(next(iter(paths.values())).name)}. Set config.data.train_annotations and "
            "config.data.eval_annotations to the folders of the JSON files."
        )
    occurring = {label for path in annotated.values() for label in labels_of(path)}
    known = _labelme_numbers(data, occurring, files)
    classes = own_classes.of_labels(data, {i: name for name, i in known.items()}, 0)
    drawn = {name: i for name, i in known.items() if i in classes.known_ids}
    drawn |= _labelme_own(data, occurring, files)
    examples = [
        Annotated(name, pictures[name], LabelmeImage(path, drawn, 0))
        for name, path in sorted(annotated.items())
    ]
    found = {i: name for name, i in known.items() if name in occurring}
    notes = [
        *unread(found, set(drawn.values()), files),
        *unused(len(paths) - len(annotated), "picture", images, "without a JSON file"),
    ]
    return annotated_source(constructor, examples, classes, data, train, notes)


def _labelme_numbers(data: DataConfig, occurring: set[str], files: pathlib.Path) -> dict[str, int]:
    """An id from 1 for each label: those of the config or `labels.txt` first, then the others.

    Raises:
        DataError: if neither names labels.
    """
    listed = next(
        (path for path in (pathlib.Path(data.dir) / "labels.txt", files / "labels.txt")
         if path.is_file()), None,
    )  # fmt: skip
    wanted = ungrouped(data.class_labels or data.class_names)
    wanted = wanted or (read_label_list(listed) if listed else ())
    rest = sorted(occurring - {BACKGROUND_LABEL, IGNORE_LABEL, *wanted})
    if not wanted:
        raise DataError(
            "config.data.class_names is empty, and there is no labels.txt; the labels in "
            f"{shown(files)} are {shorten(map(shown, rest))}. Name those to learn: "
            f'--config.data.class_names="{tuple(rest)}"'
        )
    named = [label for label in wanted if label != own_classes.BACKGROUND]
    if listed and not data.class_names and rest:
        raise DataError(
            f"{shown(files)} has the labels {shorten(map(shown, rest))}, which {shown(listed)} "
            "lacks; add them there, or choose labels with config.data.class_names."
        )
    return {label: number for number, label in enumerate([*named, *rest], start=1)}


def _labelme_own(data: DataConfig, occurring: set[str], files: pathlib.Path) -> dict[str, int]:
    """The ids of the labels that LabelMe gives a meaning."""
    if IGNORE_LABEL in occurring and data.ignored_id is None:
        raise DataError(
            f"{shown(files)} has shapes of the label {IGNORE_LABEL}; give their pixels an id: "
            "--config.data.ignored_id=255"
        )
    own = {BACKGROUND_LABEL: 0}
    return own | ({} if data.ignored_id is None else {IGNORE_LABEL: data.ignored_id})
