"""Warm start of a training: it begins with the averaged weights of a run (`train.init_from`)."""

import os
import pathlib
from typing import Any, NamedTuple

import jax

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.methods.weights import Params
from symmflow_jax.runs.identity import describe, differences
from symmflow_jax.runs.origins.origin import (
    CLOCKS,
    IMAGE_SIZE,
    Origin,
    check_same_autoencoder,
    check_same_kind,
    read_params,
)
from symmflow_jax.training.warm_start import Inherited, inherit

BEGUN = "init_from"
"""Key of a run's description that tells what it began with."""

# What may differ: times start at zero, and other semantics get their own part of two layers.
_SEMANTICS = ("config.semantics.", "config.train.semantics_parameterization", "class names")


class WarmStart(NamedTuple):
    """The parameters that a training begins with.

    Attributes:
        params: NumPy arrays.
        told: lines about what was taken, made anew and left, for the log.
        record: plain values for the description of the new run.
    """

    params: Params
    told: list[str]
    record: dict[str, Any]


def begin(experiment: Experiment, origin: Origin, codec_weights: Any, key: jax.Array) -> WarmStart:
    """The parameters of an experiment's network, from those of a run.

    Args:
        experiment: the training that begins.
        origin: the run.
        codec_weights: the codec's weights of the training, or None.
        key: the key `[]` of the initial values of what is made anew.

    Raises:
        ValueError: if the run has another kind of network; the message lists what differs.
        CheckpointError: if its checkpoint cannot be read.
        WeightsFileError: if its copy of the autoencoder cannot be read.
    """
    found = differences(origin.description, describe(experiment))
    check_same_kind(experiment, origin, found, may_differ=(CLOCKS, IMAGE_SIZE, *_SEMANTICS))
    check_same_autoencoder(origin, codec_weights)
    semantics = [text for name, text in found.items() if name.startswith(_SEMANTICS)]
    inherited = inherit(
        read_params(origin),
        origin.experiment.method,
        experiment.method,
        key,
        keeps_semantics=not semantics,
    )
    record = {"folder": str(origin.folder), "step": origin.step}
    told = [*_told(origin, inherited, semantics), *(t for n, t in found.items() if n == IMAGE_SIZE)]
    return WarmStart(inherited.params, told, record)


def check_begun(saved: dict[str, Any], init_from: str, workdir: pathlib.Path, step: int) -> None:
    """Checks that a run with a checkpoint began with the weights that its config names.

    Args:
        saved: the description in the checkpoint.
        init_from: value of `train.init_from`; "" is not checked.
        workdir: folder of the run, for the message.
        step: step of the checkpoint.

    Raises:
        ValueError: if the run began with other weights, or from nothing.
    """
    begun = saved.get(BEGUN)
    folder = begun.get("folder", "") if isinstance(begun, dict) else ""
    if init_from and os.path.abspath(init_from) != os.path.abspath(folder or os.devnull):
        began = f"began with those of {folder}" if folder else "did not begin with them"
        raise ValueError(
            f"config.train.init_from is {init_from!r}, but {workdir} has a checkpoint of step "
            f"{step} that {began}; give another --workdir to begin with these weights, or leave "
            "the key out to go on."
        )


def _told(origin: Origin, inherited: Inherited, semantics: list[str]) -> list[str]:
    lines = [
        f"Begins with the averaged weights of step {origin.step} of {origin.folder}: "
        f"{inherited.taken} of {len(jax.tree.leaves(inherited.params))} arrays are taken."
    ]
    if semantics:
        lines.append(
            f"Made anew for other semantics: their part of {' and '.join(inherited.anew)} "
            f"({'; '.join(semantics)})."
        )
    if inherited.zero:
        lines.append(f"New, with no effect at the start: {', '.join(inherited.zero)}.")
    if inherited.left:
        lines.append(f"Left, since this network has none: {', '.join(inherited.left)}.")
    return lines
