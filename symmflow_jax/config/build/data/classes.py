"""The classes of a source: by its files, by the config, and those of the training data."""

import dataclasses
import pathlib
from collections.abc import Sequence

from symmflow_jax.config.build.data.fits import make_fit
from symmflow_jax.config.build.data.own import classes as own_classes
from symmflow_jax.config.build.data.sources import kind_of
from symmflow_jax.config.values import Config
from symmflow_jax.data.fingerprint import files_of
from symmflow_jax.data.folders.listing import shorten
from symmflow_jax.data.source import DataError, Source, classes_found, numbered_classes
from symmflow_jax.runtime.errors import shown
from symmflow_jax.semantics.kinds import SemanticsKind
from symmflow_jax.semantics.labels import LabelSchema


def schema_of(config: Config, source: Source) -> LabelSchema:
    """The label schema of the learned semantics of a source, with the class names of the config.

    Arrays tell their classes by the labels that occur, so the config may name more of them.

    Raises:
        DataError: if the config has another number of names than classes.
    """
    schema, num_names = source.schemas[kind_of(config)], len(config.data.class_names)
    if classes_found(source) is not None and num_names > schema.num_classes:
        schema = numbered_classes(num_names)
    return renamed(schema, config)


def learned_schema(config: Config, source: Source) -> LabelSchema:
    """The schema of the classes that are learned: those of `schema_of`, perhaps without ignored.

    Raises:
        DataError: as `schema_of`; or if all classes are ignored.
    """
    return learned(schema_of(config, source), config)


def ignored_are_unknown(config: Config, schema: LabelSchema | None = None) -> bool:
    """True if ignored classes of the data are unknown, and no classes of the model.

    Args:
        config: the config.
        schema: the classes of a trained model, which tell what it has learned; None without one.
    """
    has_own = schema is not None and bool(schema.ignored)
    return not has_own and (
        config.data.ignored == "unknown" or bool(schema is not None and schema.unknown_ids)
    )


def learned(schema: LabelSchema, config: Config) -> LabelSchema:
    """The classes that are learned, of those that the data has; raises DataError if none is."""
    if ignored_are_unknown(config):
        if not schema.scored:
            raise DataError(
                f"All classes are ignored ({', '.join(schema.names)}), so there is nothing to "
                "learn; set config.data.ignored_id to an id of pixels that belong to no class."
            )
        schema = schema.without_ignored()
    is_padded = make_fit(config).pads and kind_of(config) is SemanticsKind.MASK
    return schema.with_unknown() if is_padded or config.data.hidden_share else schema


def check_classes(config: Config, source: Source, schema: LabelSchema) -> None:
    """Checks that a source has classes of the training data, if not all of them.

    Args:
        config: the config of the source.
        source: the evaluation split.
        schema: the classes of the training data, perhaps of a trained model.

    Raises:
        DataError: if a label is none of the classes, or if the classes have other names.
    """
    found = classes_found(source)
    if found is not None:
        _check_labels(config, files_of(source)[-1], found, schema)
        names = config.data.class_names or source.schemas[kind_of(config)].names
        expected = schema.names[: len(names)]
    else:
        own = schema_of(config, source)
        if ignored_are_unknown(config, schema):
            own = own.without_ignored()
            _check_unknown(own, schema)
        names, expected = own.names, schema.names
    if names != expected:
        raise DataError(
            f"The model knows the classes {', '.join(schema.names)}, but the data has "
            f"{', '.join(names)}; set config.data to data of the same classes."
        )


def _check_unknown(own: LabelSchema, schema: LabelSchema) -> None:
    """Raises DataError if data has unknown pixels, but a model knows of none."""
    if own.unknown_ids and not schema.unknown_ids:
        raise DataError(
            f"Pixels of the ids {shorten(map(str, own.unknown_ids))} belong to no class, but the "
            "model was trained with masks without such pixels; set config.data.ignored_id=None if "
            "there are none, or train with some (config.data.hidden_share)."
        )


def _check_labels(
    config: Config, file: pathlib.Path, found: Sequence[int], schema: LabelSchema
) -> None:
    """Raises DataError if a label that occurs in a file is none of the classes."""
    unknown = [label for label in found if label >= schema.num_classes]
    if unknown:
        what = "label" if len(unknown) == 1 else "labels"
        raise DataError(
            f"{shown(file)}: the split {config.data.eval_split!r} has the {what} "
            f"{shorten(map(str, unknown))}, but the training data has the {schema.num_classes} "
            f"classes 0 to {schema.num_classes - 1}. Train with examples of all classes, remove "
            "the others from this split, or name all classes in config.data.class_names before "
            "training."
        )


def classes_without_examples(config: Config, source: Source) -> tuple[str, ...]:
    """A sentence on classes that do not occur in training, for sources that know their labels."""
    found = classes_found(source)
    if found is None:
        return ()
    classes = schema_of(config, source).names
    absent = [name for number, name in enumerate(classes) if number not in found]
    if not absent:
        return ()
    what = "class" if len(absent) == 1 else "classes"
    return (
        f"{shown(files_of(source)[-1])}: the training split has no example of the {what} "
        f"{shorten(map(shown, absent))}; its labels are {shorten(map(str, found))}.",
    )


def _are_told(names: tuple[str, ...], schema: LabelSchema) -> bool:
    """True if a schema has these names, perhaps beside the background and ignored classes."""
    scored = tuple(schema.names[number] for number in schema.scored)
    has_background = bool(scored) and scored[0].startswith(own_classes.BACKGROUND)
    return names == scored or (has_background and names == scored[1:])


def renamed(schema: LabelSchema, config: Config) -> LabelSchema:
    """The schema with the class names of the config, if there are any."""
    names = config.data.class_names
    if not names or _are_told(names, schema):
        return schema
    if len(names) == len(schema.scored) and schema.scored == tuple(range(len(names))):
        ignored = [(schema.names[number], schema.raw_ids[number]) for number in schema.ignored]
        names += tuple(f"{name} ({raw_id})" if name in names else name for name, raw_id in ignored)
    if len(names) != schema.num_classes:
        raise DataError(
            f"config.data.class_names has {len(names)} names ({', '.join(names)}) for the "
            f"{schema.num_classes} classes of {config.data.source!r} "
            f"({', '.join(schema.names)}); give one for each, or none to keep these."
        )
    return dataclasses.replace(schema, names=names)
