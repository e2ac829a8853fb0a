"""Conversion between `ConfigDict`, the frozen config and JSON.

A config file edits values such as `default().train.batch_size`.
"""

import dataclasses
import types
import typing
from typing import Any

from ml_collections import config_dict

from symmflow_jax.config import old_names
from symmflow_jax.config.values import Config
from symmflow_jax.runtime.errors import nearest


def default() -> config_dict.ConfigDict:
    """The default values as a `ConfigDict`, locked against unknown keys, for config files."""
    return _to_config_dict(Config())


def from_config_dict(values: config_dict.ConfigDict) -> Config:
    """The frozen form of the values of a config file.

    Raises:
        ValueError: for an unknown key (with the most similar key), a value of the wrong type, an
            unknown choice, or another value that `checks` refuses.
    """
    return from_json(values.to_dict())


def from_json(values: dict[str, Any]) -> Config:
    """The config of plain nested values, as returned by `to_json`.

    Missing keys get their defaults, so old checkpoints stay readable after new keys.

    Raises:
        ValueError: like `from_config_dict`.
    """
    # Imported here so that the imports of the tables of choices do not delay --help.
    from symmflow_jax.config import checks

    config = _from_values(Config, values, prefix="config")
    checks.check(config)
    return config


def from_saved_json(values: dict[str, Any]) -> Config:
    """The config saved in a run, perhaps by an earlier version; raises like `from_json`."""
    return from_json(old_names.renewed(values))


def to_json(config: Config) -> dict[str, Any]:
    """Plain nested values for a JSON file."""
    return dataclasses.asdict(config)


def _to_config_dict(section: Any) -> config_dict.ConfigDict:
    """A section as a `ConfigDict`; values of None become typed placeholders for flags."""
    values = {}
    hints = typing.get_type_hints(type(section))
    for field in dataclasses.fields(section):
        value = getattr(section, field.name)
        if dataclasses.is_dataclass(value):
            value = _to_config_dict(value)
        elif value is None:
            value = config_dict.placeholder(typing.get_args(hints[field.name])[0])
        values[field.name] = value
    result = config_dict.ConfigDict(values)
    return result.lock()


def _from_values(cls: type, values: Any, prefix: str) -> Any:
    hints = typing.get_type_hints(cls)
    if not isinstance(values, dict):
        raise ValueError(f"{prefix} is {values!r}; it must have the keys {', '.join(hints)}.")
    for key in values:
        if key not in hints:
            advice = old_names.advice(f"{prefix}.{key}".removeprefix("config."))
            advice = advice or nearest(key, hints, "keys")
            raise ValueError(f"{prefix}.{key} is not a config key. {advice}")
    return cls(
        **{key: _convert(hints[key], value, f"{prefix}.{key}") for key, value in values.items()}
    )


def _convert(hint: Any, value: Any, where: str) -> Any:
    """Converts a value to the type of its hint; an int becomes a float if needed."""
    if dataclasses.is_dataclass(hint):
        advice = old_names.advice(where.removeprefix("config."), value)
        if advice and not isinstance(value, dict):
            raise ValueError(f"{where} is {value!r}. {advice}")
        return _from_values(typing.cast(type, hint), value, where)
    if isinstance(hint, types.UnionType):
        return None if value is None else _convert(typing.get_args(hint)[0], value, where)
    if typing.get_origin(hint) is tuple:
        items = value if isinstance(value, list | tuple) else (value,)
        return tuple(_convert(typing.get_args(hint)[0], item, where) for item in items)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ValueError(f"{where} is {value!r}; it must be of type {hint.__name__}.")
    return value
