"""The classes that a config gives to the user's own data: names, with ids, labels or colours."""

from collections.abc import Mapping, Sequence

from symmflow_jax.config.schema.fields import grouped
from symmflow_jax.config.values import DataConfig
from symmflow_jax.data.folders.listing import shorten
from symmflow_jax.data.masks.colours import ClassColours
from symmflow_jax.data.source import DataError
from symmflow_jax.runtime.errors import nearest, shown
from symmflow_jax.semantics import labels, palettes
from symmflow_jax.semantics.labels import LabelSchema

BACKGROUND = "background"
"""Name of the class of pixels that no annotation covers."""


def of_ids(data: DataConfig) -> LabelSchema:
    """The classes of `class_names` with their ids in the masks; several ids may be one class.

    Raises:
        DataError: if the number of ids differs from that of the names.
        ValueError: if an id occurs twice, or `ignored_id` is merged into a class.
    """
    groups = [grouped(ids) for ids in data.class_ids or range(len(data.class_names))]
    _check_number("class_ids", "ids", groups, data)
    return _with_groups(groups, data.class_names, data.ignored_id)


def of_numbered(data: DataConfig, names: Mapping[int, str], where: str) -> LabelSchema:
    """The classes of masks whose data set names their ids, if the config names none.

    Args:
        data: the config.
        names: name of each id in the data set, such as `id2label`; may be empty.
        where: where such names are looked for, for a message.

    Raises:
        DataError: if neither names classes; else as `of_ids`.
    """
    if data.class_names:
        return of_ids(data)
    if not names:
        raise DataError(f"{_NAMELESS} {where}")
    ids = sorted(names)
    groups = [grouped(one) for one in data.class_ids or ids]
    if len(groups) != len(ids):
        raise DataError(
            f"config.data.class_ids has {len(groups)} ids for the {len(ids)} classes of the data "
            f"set ({shorten(names[number] for number in ids)}); give one for each, or name the "
            "classes in config.data.class_names."
        )
    named = labels.told_apart([names[number] for number in ids], ids)
    return _with_groups(groups, named, data.ignored_id)


def of_labels(data: DataConfig, found: Mapping[int, str], background: int | None) -> LabelSchema:
    """The classes of annotations with labels, and of the pixels that none covers.

    Without `class_names` each label is a class. With them, labels that they leave out are not
    read. The background is the first class unless `class_names` place it.

    Args:
        data: the config.
        found: the labels of the annotations by their id.
        background: id of the pixels that no annotation covers; None if masks cover all pixels.

    Raises:
        DataError: if a name, label or id of the config is none of the annotations', or if their
            numbers differ.
    """
    names, groups = data.class_names, _groups_of_labels(data, found, background)
    if not names:
        names = tuple(labels.told_apart([found[ids[0]] for ids in groups], [g[0] for g in groups]))
    if background is not None and all(background not in group for group in groups):
        groups = [(background,), *groups]
        names = ((f"{BACKGROUND} ({background})" if BACKGROUND in names else BACKGROUND), *names)
    return _with_groups(groups, names, data.ignored_id)


def of_labels_alone(data: DataConfig) -> LabelSchema:
    """The classes of annotations that are not there, as `class_names` and the background."""
    names = data.class_names
    names = names if BACKGROUND in names else (BACKGROUND, *names)
    return labels.consecutive(names, data.ignored_id)


def colours_of(data: DataConfig, classes: LabelSchema) -> ClassColours:
    """The colours of the classes in masks that are colour images; empty for masks of ids.

    Raises:
        DataError: if the number of colours differs from that of the classes.
        ValueError: if a colour is not written as "#ff0080".
    """
    colours = given_colours(data)
    if colours and len(colours) != classes.num_classes:
        raise DataError(
            f"config.data.class_colours has {len(colours)} colours for {classes.num_classes} "
            f"classes ({', '.join(classes.names)}); give one for each."
        )
    return colours


def given_colours(data: DataConfig) -> ClassColours:
    """The colours of `class_colours`; raises ValueError for one that is not like "#ff0080"."""
    groups = [grouped(colours) for colours in data.class_colours]
    triples = [tuple(palettes.from_hex(colour) for colour in group) for group in groups]
    return tuple(group[0] if len(group) == 1 else group for group in triples)


def check_named(data: DataConfig) -> None:
    """Raises DataError if the config names no classes."""
    if not data.class_names:
        raise DataError(_NAMELESS)


_NAMELESS = (
    "config.data.class_names is empty; name the classes in the order of their ids, "
    "for instance --config.data.class_names=\"('sky', 'road', 'tree')\"."
)


def _groups_of_labels(
    data: DataConfig, found: Mapping[int, str], background: int | None
) -> list[tuple[int, ...]]:
    """The ids of each class."""
    if data.class_ids and data.class_labels:
        raise DataError(
            "config.data.class_ids and config.data.class_labels both choose the labels of the "
            "classes; clear one of them."
        )
    if data.class_ids:
        groups = [grouped(ids) for ids in data.class_ids]
        _check_number("class_ids", "ids", groups, data)
        for number in (number for group in groups for number in group):
            if number not in found and number != background:
                raise DataError(
                    f"config.data.class_ids has {number}, which is no id of the annotations: "
                    f"{shorten(f'{i} ({shown(name)})' for i, name in sorted(found.items()))}."
                )
        return groups
    wanted = [grouped(names) for names in data.class_labels or data.class_names]
    if not wanted:
        return [(number,) for number in sorted(found) if number != background]
    _check_number("class_labels", "labels", wanted, data)
    return [
        tuple(i for name in names for i in _ids_of_label(name, found, background))
        for names in wanted
    ]


def _ids_of_label(name: str, found: Mapping[int, str], background: int | None) -> list[int]:
    """The ids of a label, of which a file may have several."""
    ids = [number for number, label in found.items() if label == name]
    if not ids and name == BACKGROUND and background is not None:
        return [background]
    if not ids:
        raise DataError(
            f"No label of the annotations is {name!r}. {nearest(name, found.values(), 'labels')} "
            "Write the classes' labels into config.data.class_labels if config.data.class_names "
            "are other names."
        )
    return ids


def _with_groups(
    groups: Sequence[tuple[int, ...]], names: Sequence[str], ignored_id: int | None
) -> LabelSchema:
    merged = [(number, group[0]) for group in groups for number in group[1:]]
    return labels.filed_under(tuple(group[0] for group in groups), tuple(names), ignored_id, merged)


def _check_number(key: str, what: str, groups: Sequence[object], data: DataConfig) -> None:
    if len(groups) != len(data.class_names):
        raise DataError(
            f"config.data.{key} has {len(groups)} {what} for {len(data.class_names)} class_names; "
            "give one for each."
        )
