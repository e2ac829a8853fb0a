"""Training."""

import pathlib
from typing import TYPE_CHECKING

from absl import flags

from symmflow_jax.commands.mode import RUN, Mode

if TYPE_CHECKING:
    from symmflow_jax.config.build.experiment import Experiment

_RESUME = flags.DEFINE_enum(
    "resume",
    "same",
    ["same", "changed_data", "never"],
    "Training in a folder with checkpoints: go on if the data is the same, go on with changed data "
    "too, or never.",
)


def _train(experiment: "Experiment", workdir: pathlib.Path) -> None:
    # The import of TensorBoard's writer takes seconds, and only training needs it.
    from symmflow_jax.runs.resumption import Resume
    from symmflow_jax.train import train_and_evaluate

    train_and_evaluate(experiment, workdir, Resume(_RESUME.value))


TRAIN = Mode(
    _train,
    "trains and evaluates; goes on where a run stopped",
    ("resume",),
    RUN,
    several=True,
    leaves=True,
)
