"""Conversion between `ConfigDict`, the frozen config and JSON.

A config file edits values such as `default().train.batch_size`.
"""

import dataclasses
import typing
from typing import Any

from ml_collections import config_dict

from symmflow_jax.config.schema import old_names
from symmflow_jax.config.schema.fields import Field, field_of, fields_of
from symmflow_jax.config.values import Config
from symmflow_jax.runtime import paths
from symmflow_jax.runtime.errors import nearest, shown, shown_value


def default() -> config_dict.ConfigDict:
    """The default values as a `ConfigDict`, locked against unknown keys, for config files."""
    return _to_config_dict(Config())


def from_config_dict(values: config_dict.ConfigDict) -> Config:
    """The frozen form of the values of a config file; `~` and `$VARIABLES` in paths are expanded.

    Raises:
        ValueError: for an unknown key (with the most similar key), a value of the wrong type, an
            unknown choice, a path with a variable that is not set, or another value that `checks`
            refuses.
    """
    return from_given(values.to_dict())


def from_given(values: dict[str, Any]) -> Config:
    """The config of nested values that a user has written; like `from_config_dict`."""
    return _checked(_expanded(_from_values(Config, values, prefix="config")))


def from_json(values: dict[str, Any]) -> Config:
    """The config of plain nested values, as returned by `to_json`.

    Missing keys get their defaults.

    Raises:
        ValueError: like `from_config_dict`.
    """
    return _checked(_from_values(Config, values, prefix="config"))


def from_saved_json(values: dict[str, Any]) -> Config:
    """The config saved in a run, perhaps by an earlier version.

    Missing keys get their defaults.

    Raises:
        ValueError: for an unknown key, a value of the wrong type, an unknown choice, or numbers
            that give no model; those of training are not checked, see `checks.check_saved`.
    """
    from symmflow_jax.config import checks

    if isinstance(values, dict):
        values = old_names.renewed(values)
    config = _from_values(Config, values, prefix="config")
    checks.check_saved(config)
    return config


def _checked(config: Config) -> Config:
    # Imported here so that the imports of the tables of choices do not delay --help.
    from symmflow_jax.config import checks

    checks.check(config)
    return config


def to_json(config: Config) -> dict[str, Any]:
    """Plain nested values for a JSON file."""
    return dataclasses.asdict(config)


def _to_config_dict(section: Any) -> config_dict.ConfigDict:
    """A section as a `ConfigDict`; values of None become typed placeholders."""
    values = {}
    hints = typing.get_type_hints(type(section), include_extras=True)
    for name, hint in hints.items():
        value = getattr(section, name)
        if dataclasses.is_dataclass(value):
            value = _to_config_dict(value)
        elif value is None:
            value = config_dict.placeholder(field_of(hint).kind)
        values[name] = value
    result = config_dict.ConfigDict(values)
    return result.lock()


def _expanded(section: Any, prefix: str = "config") -> Any:
    """A section with `~` and `$VARIABLES` of its paths expanded."""
    keys = fields_of(typing.cast(type, type(section)))
    changes = {}
    for field in dataclasses.fields(section):
        value, key = getattr(section, field.name), f"{prefix}.{field.name}"
        if dataclasses.is_dataclass(value):
            changes[field.name] = _expanded(value, key)
        elif keys[field.name].is_path:
            changes[field.name] = paths.expand(value, key)
    return dataclasses.replace(section, **changes)


def _from_values(cls: type, values: Any, prefix: str) -> Any:
    hints = typing.get_type_hints(cls, include_extras=True)
    if not isinstance(values, dict):
        raise ValueError(
            f"{prefix} is {shown_value(values)}; it must have the keys {', '.join(hints)}."
        )
    for key in values:
        if key not in hints:
            advice = old_names.advice(f"{prefix}.{key}".removeprefix("config."))
            advice = advice or nearest(key, hints, "keys")
            raise ValueError(f"{shown(f'{prefix}.{key}')} is not a config key. {advice}")
    return cls(
        **{key: _convert(hints[key], value, f"{prefix}.{key}") for key, value in values.items()}
    )


def _convert(hint: Any, value: Any, where: str) -> Any:
    """Converts a value to the type of its hint."""
    if dataclasses.is_dataclass(hint):
        advice = old_names.advice(where.removeprefix("config."), value)
        if advice and not isinstance(value, dict):
            raise ValueError(f"{where} is {shown_value(value)}. {advice}")
        return _from_values(typing.cast(type, hint), value, where)
    field = field_of(hint)
    if value is None and field.is_optional:
        return None
    if not field.is_tuple:
        return _convert_item(field, value, where)
    items = value if isinstance(value, list | tuple) else (value,)
    return tuple(_convert_group(field, item, where) for item in items)


def _convert_group(field: Field, item: Any, where: str) -> Any:
    """An item of a tuple, or a tuple of several if the field may have such groups."""
    if not (field.is_grouped and isinstance(item, list | tuple)):
        return _convert_item(field, item, where)
    if not item:
        raise ValueError(f"{where} has an empty group (); leave it out, or name its members.")
    return tuple(_convert_item(field, member, where) for member in item)


def _convert_item(field: Field, value: Any, where: str) -> Any:
    """The value, or one item of a tuple, in the field's type; an int becomes a float if needed."""
    if field.kind is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError as error:
            raise ValueError(f"{where} is {shown_value(value)}, which is too large.") from error
    if not isinstance(value, field.kind) or (field.kind is int and isinstance(value, bool)):
        kind = field.kind.__name__
        raise ValueError(f"{where} is {shown_value(value)}; it must be of type {kind}.")
    return value
