"""Configs and overrides as Python programs give them."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from ml_collections import config_dict

from symmflow_jax.config import conversion
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.reading import config_file, overrides as reading
from symmflow_jax.runtime.errors import shown_value
from symmflow_jax.semantics.labels import LabelSchema


def flat_overrides(*given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Overrides by dotted key, such as "train.batch_size".

    Args:
        *given: mappings from dotted keys to values, or from sections to mappings of their own, as
            in `{"train": {"batch_size": 8}}`. Paths and scalars of NumPy become plain values.

    Raises:
        ValueError: if a key is unknown (with the most similar key), or is given twice.
    """
    found: dict[str, Any] = {}
    for mapping in given:
        for key, value in _flat(mapping or {}):
            reading.check_key(key)
            if key in found:
                raise ValueError(f"config.{key} is given twice; leave one of them out.")
            found[key] = value
    return found


def experiment_of(config: Any, overrides: Mapping[str, Any]) -> Experiment:
    """The experiment of a config with overrides.

    Args:
        config: a config file, or the name of one that comes with the package, such as "shapes"; a
            `ConfigDict`; or a mapping of the values that differ from the defaults.
        overrides: values by dotted key, as of `flat_overrides`.

    Raises:
        ValueError: if there is no such config, or a key or value is invalid.
    """
    return Experiment(conversion.from_given(reading.applied(_values(config), overrides)))


def changed(experiment: Experiment, overrides: Mapping[str, Any]) -> Experiment:
    """An experiment with overrides by dotted key, and the classes that it has.

    Raises:
        ValueError: if a value is invalid.
    """
    schema: LabelSchema = experiment.schema
    values = reading.applied(experiment.to_json(), overrides)
    return Experiment(conversion.from_given(values), schema)


def name_of(config: Any) -> str:
    """The name of a config file without folder and suffix; "" for values."""
    return config_file.stem(os.fspath(config)) if isinstance(config, str | os.PathLike) else ""


def _values(config: Any) -> dict[str, Any]:
    if isinstance(config, str | os.PathLike):
        return config_file.load(os.fspath(config)).to_dict()
    if isinstance(config, config_dict.ConfigDict):
        return config.to_dict()
    if isinstance(config, Mapping):
        return reading.applied({}, flat_overrides(config))
    raise ValueError(
        f"The config is {shown_value(config)}; give a config file, the name of one that comes "
        'with symmflow_jax such as "shapes", a ConfigDict, or a dictionary.'
    )


def _flat(mapping: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    if not isinstance(mapping, Mapping):
        raise ValueError(
            f"The overrides are {shown_value(mapping)}; give a dictionary such as "
            '{"train.num_epochs": 1}.'
        )
    found: list[tuple[str, Any]] = []
    for name, value in mapping.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping):
            found += _flat(value, f"{key}.")
        else:
            found.append((key, _plain(value)))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value.item() if isinstance(value, np.generic) else value
