"""What a checkpoint says of its model, and whether a run may go on from it."""

import pathlib
from typing import Any

from symmflow_jax.config import conversion
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.build.method import CLOCKS


def describe(experiment: Experiment) -> dict[str, Any]:
    """What a checkpoint says of itself, in plain values."""
    return {"config": experiment.to_json(), "schema": experiment.schema.to_json()}


def check_same_model(saved: dict[str, Any], current: dict[str, Any], workdir: pathlib.Path) -> None:
    """Raises `ValueError` if a checkpoint was made by another network or for other classes.

    Args:
        saved: `describe` of the checkpoint.
        current: `describe` of the run that would go on from it.
        workdir: folder of the run, for the message.
    """
    old, new = _identity(saved), _identity(current)
    differences = [
        f"{key} is {new.get(key)!r}, was {old.get(key)!r}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]
    if differences:
        raise ValueError(
            f"The checkpoints in {workdir} are of another model: {'; '.join(differences)}. "
            "Use the config they were made with, or give another --workdir."
        )


def _identity(description: dict[str, Any]) -> dict[str, Any]:
    """The values that decide whether weights fit; the rest of a config may change."""
    # Keys that came after a checkpoint have the default value in it.
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
        # Which file they came from does not matter: the run has a copy, which is compared.
        values |= {
            f"config.autoencoder.{key}": value
            for key, value in config["autoencoder"].items()
            if key not in ("weights", "mask_decoder", "dtype")
        }
    values["clocks"] = {1: "one", 2: "two"}[CLOCKS[config["train"]["clock"]].num_clocks]
    values |= {
        f"config.train.{key}": config["train"][key]
        for key in ("path", "image_parameterization", "semantics_parameterization")
    }
    values["what the flow moves"] = "latents" if config["autoencoder"]["weights"] else "pixels"
    values["class names"] = description["schema"]["names"]
    return {key: list(v) if isinstance(v, tuple) else v for key, v in values.items()}
