"""The frozen weights that a flow map is trained towards (`train.map_target`)."""

from typing import Any

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.methods.weights import Params
from symmflow_jax.runs.identity import describe, differences
from symmflow_jax.runs.origins.origin import (
    CLOCKS,
    IMAGE_SIZE,
    check_same_autoencoder,
    check_same_kind,
    open_origin,
    read_params,
)


def read_teacher(experiment: Experiment, codec_weights: Any) -> Params | None:
    """The frozen parameters that a flow map is trained towards; None without a teacher.

    Args:
        experiment: the training.
        codec_weights: the codec's weights of the training, or None.

    Raises:
        ValueError: if there is no run, it has another kind of network or other semantics, or it is
            a flow map itself.
        CheckpointError: if its checkpoint cannot be read.
    """
    if not experiment.has_teacher:
        return None
    origin = open_origin("train.map_target", experiment.train.map_target)
    found = differences(origin.description, describe(experiment))
    clocks = found.pop(CLOCKS, "")
    check_same_kind(experiment, origin, found, may_differ=(IMAGE_SIZE,))
    method = origin.experiment.method
    if method.has_span or method.time_sampling.num_clocks == 1:
        raise ValueError(
            f"config.train.map_target is {str(origin.folder)!r}, but a flow map is trained towards "
            "the velocities of a network with two clocks and without spans "
            f"({clocks or 'it is a flow map itself'}); name such a run, or none."
        )
    check_same_autoencoder(origin, codec_weights)
    return read_params(origin)
