"""Description of the model in a checkpoint, and comparison with a config."""

import dataclasses
import logging
import pathlib
from typing import Any

from symmflow_jax.config import conversion
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.build.method.method import CLOCKS
from symmflow_jax.config.build.method.objectives import OBJECTIVES
from symmflow_jax.semantics.labels import LabelSchema

_logger = logging.getLogger(__name__)


def describe(experiment: Experiment) -> dict[str, Any]:
    """Description of a model for its checkpoints: config and label schema as plain values."""
    return {"config": experiment.to_json(), "schema": experiment.schema.to_json()}


def describe_training(experiment: Experiment) -> dict[str, Any]:
    """Description of a model and its training: also data, schedule, and the scale of images.

    Raises:
        DataError: if data is missing or cannot be read.
    """
    counted = (
        {"classes": experiment.class_counts.to_json()} if experiment.needs_class_counts else {}
    )
    return describe(experiment) | {
        "data": {
            "train": experiment.training_provenance() | counted,
            "eval": experiment.evaluation_provenance(),
        },
        "schedule": dataclasses.asdict(experiment.schedule),
        "native_scale": experiment.native_scale,
    }


def with_kept_colours(experiment: Experiment, saved: dict[str, Any]) -> Experiment:
    """The experiment with the colours of classes that its checkpoint was trained with.

    Colours of a data set may differ from those of an earlier version.

    Args:
        experiment: the run that would go on.
        saved: result of `describe` in the checkpoint.
    """
    kept, schema = LabelSchema.from_json(saved["schema"]), experiment.schema
    if kept.names != schema.names:
        return experiment
    with_kept = dataclasses.replace(schema, palette=kept.palette, label_colours=kept.label_colours)
    return experiment if with_kept == schema else experiment.with_schema(with_kept)


def with_ignored_as_saved(experiment: Experiment, saved: dict[str, Any]) -> Experiment:
    """The experiment with ignored classes as in its checkpoint, if that is of an earlier version.

    There was no choice then: they were classes like the others, for which the weights are. It is
    logged if the config has the other way.

    Args:
        experiment: the run that would go on.
        saved: result of `describe` in the checkpoint.
    """
    data, ignored = saved["config"].get("data", {}), LabelSchema.from_json(saved["schema"]).ignored
    changed = experiment.with_ignored_classes()
    if "ignored" in data or not ignored or changed is experiment:
        return experiment
    _logger.info(
        "Ignored pixels stay a class of this run, which began so (config.data.ignored='class')."
    )
    return changed


def check_same_model(saved: dict[str, Any], current: dict[str, Any], workdir: pathlib.Path) -> None:
    """Raises `ValueError` if a checkpoint belongs to another model or other classes.

    Args:
        saved: result of `describe` in the checkpoint.
        current: result of `describe` for the run that would continue from it.
        workdir: folder of the run in the error message.
    """
    found = differences(saved, current)
    if found:
        raise ValueError(
            f"The checkpoints in {workdir} are of another model: {'; '.join(found.values())}. "
            "Use the config they were made with, or give another --workdir."
        )


def differences(saved: dict[str, Any], current: dict[str, Any]) -> dict[str, str]:
    """What differs between two models, by key such as "config.network.channels", in words.

    Args:
        saved, current: results of `describe`.
    """
    old, new = _identity(saved), _identity(current)
    return {
        key: f"{key} is {new.get(key)!r}, was {old.get(key)!r}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    }


def _identity(description: dict[str, Any]) -> dict[str, Any]:
    """The values that must agree for weights to fit; other values may change."""
    # Keys that are newer than a checkpoint get their defaults.
    config = conversion.to_json(conversion.from_saved_json(description["config"]))
    values = {
        f"config.{section}.{key}": value
        for section in ("network", "semantics")
        for key, value in config[section].items()
        if key not in ("dropout_rate", "remat", "dtype")
    }
    values |= {
        f"config.data.{key}": config["data"][key]
        for key in ("image_size", "image_channels", "point_size")
    }
    if config["autoencoder"]["weights"]:
        # The path of the weights may change, because the run has a copy, which is compared.
        values |= {
            f"config.autoencoder.{key}": value
            for key, value in config["autoencoder"].items()
            if key not in ("weights", "mask_decoder", "dtype")
        }
    clocks = {1: "one", 2: "two"}[CLOCKS[config["train"]["clock"]].num_clocks]
    spans = OBJECTIVES[config["train"]["objective"]].has_span
    values["clocks"] = f"{clocks}, and a span" if spans else clocks
    values |= {
        f"config.train.{key}": config["train"][key]
        for key in ("path", "image_parameterization", "semantics_parameterization")
    }
    values["what the flow moves"] = "latents" if config["autoencoder"]["weights"] else "pixels"
    # Equal names, which earlier versions took, are told apart.
    schema = LabelSchema.from_json(description["schema"])
    values["class names"] = schema.names
    values["config.data.ignored"] = "class" if schema.ignored else "unknown"
    return {key: list(v) if isinstance(v, tuple) else v for key, v in values.items()}
