"""How sources of the user's own images and masks are opened, whole or as a part of one folder."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from symmflow_jax.config.build.data import own_classes
from symmflow_jax.config.build.data.openers import FILES, SPLITS, decoding_of, split_of, uses
from symmflow_jax.config.schema.fields import ungrouped
from symmflow_jax.config.values import DataConfig
from symmflow_jax.data.annotations.coco import read_coco
from symmflow_jax.data.annotations.labelmap import read_labelmap
from symmflow_jax.data.annotations.labelme import (
    BACKGROUND_LABEL,
    IGNORE_LABEL,
    LabelmeImage,
    labels_of,
    read_label_list,
)
from symmflow_jax.data.annotations.yolo import YoloImage, labels_folder, read_names
from symmflow_jax.data.folders.listing import counted, list_pictures, shorten
from symmflow_jax.data.selection import Parts
from symmflow_jax.data.source import DataError, Source
from symmflow_jax.data.sources.segmentation import cvat_layout, hf_dataset
from symmflow_jax.data.sources.segmentation.annotated_images import Annotated
from symmflow_jax.runtime.errors import shown
from symmflow_jax.semantics.labels import LabelSchema

_PARTS = ("val_share", "folds", "fold", "split_seed")
_IMAGES = ("train_images", "eval_images")
_ANNOTATIONS = ("train_annotations", "eval_annotations")
_MASKS = ("train_masks", "eval_masks", "mask_pattern")
_OWN = ("dir", *_PARTS, *FILES, "ignored_id")


def parts_of(data: DataConfig) -> Parts | None:
    """How one folder is shared out between the splits; None if each has its own files."""
    if not data.val_share and not data.folds:
        return None
    return Parts(data.val_share, data.folds, data.fold, data.split_seed)


# The splits are folders; the name of the evaluation split occurs only in scores.
@uses(*_OWN, "eval_split", *_IMAGES, *_MASKS, "class_ids", "class_colours")
def from_folder_pair(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a source from a folder of images and a folder of masks, with classes of the config.

    Raises:
        DataError: if there are no class names, or their number differs from that of the ids or
            colours.
        ValueError: if an id is negative or a colour is not written as "#ff0080".
    """
    del seed
    own_classes.check_named(data)
    root = pathlib.Path(data.dir)
    first = _is_first(data, train)
    images = root / (data.train_images if first else data.eval_images)
    masks = root / (data.train_masks if first else data.eval_masks)
    classes = own_classes.of_ids(data)
    colours = own_classes.colours_of(data, classes)
    decoding = decoding_of(data)
    return _part(
        constructor(images, masks, classes, colours, decoding, data.mask_pattern), data, train
    )


@uses(*_OWN, "eval_split", *_IMAGES, *_ANNOTATIONS, "class_ids", "class_labels")
def from_coco(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a source from a folder of images and a JSON file of COCO.

    Raises:
        DataError: if a file is missing or is something else, or if classes are no categories.
    """
    del seed
    images, path = _images_folder(data, train), _coco_path(data, train)
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
        *_unread(found.categories, drawn, path),
        *_unused(len(files) - len(examples), "picture", images, f"without an entry in {path.name}"),
        *_unused(found.num_boxes, "annotation", path, "that are boxes without a segmentation"),
    ]
    return _annotated(constructor, examples, classes, data, train, notes)


@uses(*_OWN, "eval_split", *_IMAGES, *_ANNOTATIONS, "class_ids", "class_labels")
def from_yolo(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a source from a folder of images and one of YOLO's text files with polygons.

    Raises:
        DataError: if a folder is missing, there are no text files, or classes have no number.
    """
    del seed
    images = _images_folder(data, train)
    texts = _annotations_folder(data, train) or pathlib.Path(labels_folder(images))
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
    bare = sum(not path.exists() for path in paths.values())
    notes = [*_unread(names, drawn, pathlib.Path(data.dir)), *_bare(bare, images, "text file")]
    return _annotated(constructor, examples, classes, data, train, notes)


@uses(*_OWN, "eval_split", *_IMAGES, *_ANNOTATIONS, "class_labels")
def from_labelme(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a source from a folder of images and the JSON files of LabelMe.

    Raises:
        DataError: if there are no JSON files, or nothing names the classes.
    """
    del seed
    images = _images_folder(data, train)
    files = _annotations_folder(data, train) or images
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
    unread = {i: name for name, i in known.items() if name in occurring}
    notes = [
        *_unread(unread, set(drawn.values()), files),
        *_unused(len(paths) - len(annotated), "picture", images, "without a JSON file"),
    ]
    return _annotated(constructor, examples, classes, data, train, notes)


@uses(*_OWN, *SPLITS, "class_labels")
def from_cvat(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a source from an export of CVAT, whose masks have the colours of `labelmap.txt`.

    Raises:
        DataError: if a file is missing, or a label of the export is in no class.
    """
    del seed
    root = pathlib.Path(data.dir)
    colours = read_labelmap(root / cvat_layout.LABELMAP)
    labels = dict(enumerate(colours))
    classes = own_classes.of_labels(data, labels, None)
    missing = sorted(labels.keys() - set(classes.known_ids))
    if missing:
        raise DataError(
            f"config.data.class_names lacks the labels {shorten(labels[i] for i in missing)} of "
            f"{shown(root / cvat_layout.LABELMAP)}, whose pixels would have no class. Name them "
            "too, or merge them into others with config.data.class_labels."
        )
    by_class: dict[int, list[Any]] = {}
    for number, label in labels.items():
        by_class.setdefault(classes.class_of(number), []).append(colours[label])
    palette = tuple(tuple(by_class[number]) for number in range(len(by_class)))
    names, pairs = cvat_layout.pairs_of(root, split_of(data, _is_first(data, train)))
    return _part(constructor(pairs, classes, palette, decoding_of(data), names), data, train)


@uses(*_OWN, *SPLITS, "image_column", "mask_column", "class_ids")
def from_hf(constructor: Callable[..., Source], data: DataConfig, train: bool, seed: int):
    """Opens a split of a folder that Hugging Face `datasets` has saved.

    Raises:
        DataError: if it is something else, or if nothing names the classes.
    """
    del seed
    root = pathlib.Path(data.dir)
    names = hf_dataset.read_names(root)
    where = f"Or put id2label.json, the names by id, into {shown(root)}."
    classes = own_classes.of_numbered(data, names, where)
    columns = (data.image_column, data.mask_column)
    split = split_of(data, _is_first(data, train))
    return _part(constructor(root, split, columns, classes, decoding_of(data)), data, train)


def _is_first(data: DataConfig, train: bool) -> bool:
    """True if a split is read from the files of training."""
    return train or parts_of(data) is not None


def _part(source: Any, data: DataConfig, train: bool) -> Source:
    """The source, or the part of it that is a split."""
    parts = parts_of(data)
    return source if parts is None else source.only(parts.chosen(source.names, train=train))


def _annotated(
    constructor: Callable[..., Source],
    examples: Sequence[Annotated],
    classes: LabelSchema,
    data: DataConfig,
    train: bool,
    notes: Iterable[str],
) -> Source:
    return _part(constructor(examples, classes, decoding_of(data), tuple(notes)), data, train)


def _images_folder(data: DataConfig, train: bool) -> pathlib.Path:
    first = _is_first(data, train)
    return pathlib.Path(data.dir) / (data.train_images if first else data.eval_images)


def _annotations_folder(data: DataConfig, train: bool) -> pathlib.Path | None:
    """The folder or file of annotations that the config names, or None."""
    given = data.train_annotations if _is_first(data, train) else data.eval_annotations
    return pathlib.Path(data.dir) / given if given else None


def _coco_path(data: DataConfig, train: bool) -> pathlib.Path:
    """The JSON file of a split: that of the config, or the only one beside its images."""
    given = _annotations_folder(data, train)
    if given is not None and not given.is_dir():
        return given
    folder = given or _images_folder(data, train)
    found = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if len(found) == 1:
        return found[0]
    key = "train_annotations" if _is_first(data, train) else "eval_annotations"
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


def _numbers(data: DataConfig) -> list[int]:
    """The number of each class name of YOLO, without a data.yaml."""
    return [ids[0] if isinstance(ids, tuple) else ids for ids in data.class_ids] or list(
        range(len(data.class_names))
    )


def _background(found: Mapping[int, str]) -> int:
    """An id for pixels without a region: 0 if no label has it, else the next free one."""
    return 0 if 0 not in found else max(found) + 1


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


def _unread(known: Mapping[int, str], drawn: Iterable[int], where: pathlib.Path) -> list[str]:
    """A note on labels that are in no class."""
    names = [name for number, name in sorted(known.items()) if number not in set(drawn)]
    if not names:
        return []
    return [
        f"{shown(where)}: read as background, because config.data.class_names leaves them out: "
        f"{counted(len(names), 'label')}, {shorten(map(shown, names))}."
    ]


def _unused(number: int, noun: str, where: pathlib.Path, why: str) -> list[str]:
    """A note on what is there and not used."""
    return [f"{shown(where)}: not used: {counted(number, noun)} {why}."] if number else []


def _bare(number: int, images: pathlib.Path, what: str) -> list[str]:
    """A note on images that are all background."""
    verb = "is" if number == 1 else "are"
    text = f"{shown(images)}: {counted(number, 'image')} without a {what} {verb} all background."
    return [text] if number else []
