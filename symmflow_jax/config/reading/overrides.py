"""Overrides on the command line: `--config.train.batch_size=8`. The last one of a key counts."""

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from absl import flags

from symmflow_jax.config.schema import old_names
from symmflow_jax.config.schema.fields import Field, fields_of
from symmflow_jax.config.values import Config
from symmflow_jax.runtime.errors import nearest

_FLAG = re.compile(r"--?(?P<no>no)?config\.(?P<key>[^=]*)(?:=(?P<value>.*))?", re.DOTALL)


def split(arguments: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Separates overrides from the other arguments of a command line.

    Tuples are written as `64,64`, `(64, 64)` or `('a', 'b')`. Names need quotes if one of them
    contains a comma or begins with a bracket. "none" stands for the None of an optional value.

    Args:
        arguments: the command line without the program; nothing after "--" is an override.

    Returns:
        the other arguments, and the values by key such as "train.batch_size", in the order of
        their last occurrence. A text that is no value of its type stays a text, which the
        conversion of the config refuses.

    Raises:
        ValueError: for an unknown key, a missing value, or a tuple that cannot be read.
    """
    rest: list[str] = []
    found: dict[str, Any] = {}
    remaining = list(arguments)
    while remaining:
        argument = remaining.pop(0)
        match = _FLAG.fullmatch(argument)
        if argument == "--":
            return [*rest, argument, *remaining], found
        if match is None:
            rest.append(argument)
            continue
        key = match["key"]
        field = _field(key)
        text = match["value"]
        if text is None and not _is_switch(field):
            if match["no"] or not remaining:
                raise ValueError(f"{argument} has no value; write --config.{key}=VALUE.")
            text = remaining.pop(0)
        found.pop(key, None)
        if text is None or match["no"]:
            found[key] = _switched(argument, field, on=not match["no"], text=text)
        else:
            found[key] = value_of(field, text, key)
    return rest, found


def applied(values: dict[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Nested values with overrides by dotted key; sections that are not there are made."""
    result = dict(values)
    for key, value in overrides.items():
        section, _, name = key.rpartition(".")
        target = result
        for part in section.split(".") if section else ():
            target[part] = dict(target.get(part) or {})
            target = target[part]
        target[name] = value
    return result


def check_key(key: str) -> None:
    """Raises a ValueError for an unknown key; it names the most similar one."""
    _field(key)


def unused(keys: Iterable[str], used: tuple[str, ...]) -> list[str]:
    """The keys that are neither among the used keys nor in one of the used sections."""
    return [
        key for key in keys if not any(key == name or key.startswith(f"{name}.") for name in used)
    ]


def value_of(field: Field, text: str, key: str) -> Any:
    """The value that a text stands for, or the text itself if it is no value of the field's type.

    Raises:
        ValueError: if a tuple cannot be read, or is no text in UTF-8.
    """
    if field.is_optional and text.strip().lower() == "none":
        return None
    return _items(field, text, key) if field.is_tuple else _item(field, text)


def _items(field: Field, text: str, key: str) -> tuple[Any, ...]:
    if not text:
        return ()
    text = _with_letters(text, key).strip()
    if not text:
        raise ValueError(f"config.{key} is blank; write () for no items.")
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        if text[0] in "([{'\"":
            raise ValueError(
                f"config.{key} is {text}, which cannot be read; quote each text in it, as in "
                f"--config.{key}=\"('a', 'b')\"."
            ) from error
        parts = [part.strip() for part in text.removesuffix(",").split(",")]
        return tuple(_item(field, part) for part in parts)
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _with_letters(text: str, key: str) -> str:
    """A text such as names of classes with its letters.

    In a locale without UTF-8, Python has bytes in the place of letters. Paths keep these.
    """
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeError:
        raise ValueError(
            f"config.{key} is given as {ascii(text)}, which is no text in UTF-8; write the command "
            "in UTF-8, or the value into the config file."
        ) from None


def _item(field: Field, text: str) -> Any:
    parsers: dict[type, flags.ArgumentParser] = {
        bool: flags.BooleanParser(),
        int: flags.IntegerParser(),
    }
    try:
        if field.kind is float:
            return float(text)
        return parsers[field.kind].parse(text.strip()) if field.kind in parsers else text
    except ValueError:
        return text


def _field(key: str) -> Field:
    fields = fields_of(Config)
    if key not in fields:
        advice = old_names.advice(key) or nearest(key, fields, "keys")
        raise ValueError(f"config.{key} is not a config key. {advice}")
    return fields[key]


def _is_switch(field: Field) -> bool:
    return field.kind is bool and not field.is_tuple


def _switched(argument: str, field: Field, *, on: bool, text: str | None) -> bool:
    """The value of `--config.key` or `--noconfig.key` alone."""
    if text is not None or not _is_switch(field):
        raise ValueError(f"{argument} is no override; write --config.KEY=VALUE.")
    return on
