"""Trainings without their final evaluation, whose programs take long to compile."""

import json
import pathlib

import jax
import numpy as np

import symmflow_jax
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.loop.run import Run
from symmflow_jax.loop.start import Start
from symmflow_jax.runs import folder
from symmflow_jax.runs.checkpointing import saving
from symmflow_jax.runtime.signals import InterruptionRequest

POINTS = {
    "data.source": "spirals",
    "data.image_size": (),
    "semantics.encoding": "plane",
    "network.name": "mlp",
    "train.num_epochs": 0.5,
    "eval.metrics": ("objective",),
}
"""Changes of the tiny run to one on points, whose programs compile in no time."""


def train_only(
    experiment: Experiment, workdir: pathlib.Path, request: InterruptionRequest | None = None
) -> None:
    """Trains to the last step, or until a request."""
    with folder.Claim(workdir) as claim:
        claim.take()
        run = Run.begin(Start.check(experiment, workdir), claim)
        try:
            run.train(*run.first_state(), request or InterruptionRequest())
            saving.finish(run.manager)
        finally:
            run.close()


def weights_of(workdir: pathlib.Path) -> list[np.ndarray]:
    """The arrays of a run's model."""
    return jax.tree.leaves(jax.device_get(symmflow_jax.load(workdir).weights))


def losses_of(workdir: pathlib.Path) -> dict[int, float]:
    """The loss of each step in a run's history."""
    lines = (workdir / "history.jsonl").read_text().splitlines()
    return {line["step"]: line["loss"] for line in map(json.loads, lines)}
