"""Training: `train_and_evaluate` runs a config from the first step or from its checkpoint.

The module can be called: `symmflow_jax.train(config, overrides, workdir=...)` is `train` of
`symmflow_jax.commands.python`, and says what it takes.
"""

import contextlib
import functools
import inspect
import pathlib
import sys
import types
from collections.abc import Iterator
from typing import Any

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.evaluation.measurement import Measurement
from symmflow_jax.loop.run import (
    NonFiniteLoss as NonFiniteLoss,  # Which programs may catch.
    Run,
    tell_kept,
)
from symmflow_jax.loop.start import Start
from symmflow_jax.runs import folder
from symmflow_jax.runs.checkpointing import layout
from symmflow_jax.runs.resumption import Resume
from symmflow_jax.runtime import shared_folder
from symmflow_jax.runtime.cluster import session
from symmflow_jax.runtime.errors import CheckpointError, refusal

_BEFORE = -1
"""The place at which a run may stop before its first step; see `Departure`."""


def train_and_evaluate(
    experiment: Experiment, workdir: pathlib.Path, resume: Resume = Resume.SAME
) -> list[Measurement]:
    """Trains to the end of an experiment, then evaluates; resumes from the last checkpoint.

    All files are written to `workdir`: checkpoints, TensorBoard events, grids of images, plots,
    `config.json`, `versions.json`, `data.json`, `history.jsonl`, `metrics.json`, `report.md`, the
    weights of the autoencoder if there is one, the legend `classes.png` of masks, `cost.json`, and
    `skipped.jsonl` if unreadable examples were skipped. Nothing there changes before all checks
    have passed.

    Args:
        experiment: the run.
        workdir: its folder.
        resume: what to do with checkpoints in the folder.

    Returns:
        the measurements of the final evaluation.

    Raises:
        DataError: if data is missing or cannot be read.
        ValueError: if the config does not fit the devices, the data, or the checkpoint, if the
            data has changed, if another training writes to the folder, or if it cannot be written.
        NonFiniteLoss: if the loss is no longer a number.
        CheckpointError: if a checkpoint, or another file of the run, cannot be written or read.
        Interrupted: after SIGTERM or Ctrl-C, once everything is saved.
    """
    stops = session.stops()
    with folder.Claim(workdir) as claim:
        with stops.stage(_BEFORE, functools.partial(tell_kept, workdir)):
            start = Start.check(experiment, workdir, resume)
            claim.take()
            shared_folder.check(workdir)
            with _explained_refusals(workdir):
                run = Run.begin(start, claim)
        with _explained_refusals(workdir):
            try:
                with stops:
                    state, step = run.train(*run.first_state(), stops)
                return run.finish(state, step, stops)
            finally:
                run.close()


@contextlib.contextmanager
def _explained_refusals(workdir: pathlib.Path) -> Iterator[None]:
    """Turns the file system's refusal to write the run's files into an error of one line."""
    try:
        yield
    except OSError as error:
        if not folder.is_refusal(error, workdir):
            raise
        steps = layout.complete_steps(workdir)
        kept = f"step {steps[-1]} is complete" if steps else "no checkpoint is complete"
        raise CheckpointError(
            f"{error.filename or workdir} could not be written ({refusal(error)}); "
            f"{kept}. Free space there, or give another --workdir, and run the command again."
        ) from error


class _TrainFunction(types.ModuleType):
    """This module as the function `symmflow_jax.train`.

    Python makes the module an attribute of the package under the name of the function, whenever
    something imports it.
    """

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Trains a network and gives its model; see `symmflow_jax.commands.python.train`."""
        from symmflow_jax.commands.python import train

        return train(*arguments, **named)

    @property
    def __signature__(self) -> inspect.Signature:
        from symmflow_jax.commands.python import train

        return inspect.signature(train)


sys.modules[__name__].__class__ = _TrainFunction
