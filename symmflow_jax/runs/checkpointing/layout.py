"""The folder of a run's checkpoints: which are there, and what each holds."""

import pathlib
from typing import Any

from symmflow_jax.runs.bucket.staged_manager import MARKER
from symmflow_jax.runtime.errors import CheckpointError
from symmflow_jax.runtime.storage.place import is_remote
from symmflow_jax.training.state import TrainState

# The items of a checkpoint. The averaged parameters are a separate item, so that inference
# reads them without the state of the optimizer.
EMA = "ema_params"
TRAINING = "training"
DESCRIPTION = "description"
ITEMS = (EMA, TRAINING, DESCRIPTION)
METRICS = "metrics"  # Orbax's name.

TRAIN_SECONDS = "train_seconds"
"""Key of the time of the training in a description; earlier versions have none."""

STEP_METADATA = "_CHECKPOINT_METADATA"
"""Orbax's file in the folder of a checkpoint, which it reads when a manager is opened."""

_PARTS = {EMA, TRAINING, METRICS, STEP_METADATA, "commit_success.txt"}
"""What Orbax writes into the folder of a checkpoint, besides the description."""


def without_ema(state: TrainState) -> dict[str, Any]:
    """What the item of the training holds: all of a state but its averaged parameters."""
    return {"step": state.step, "params": state.params, "opt_state": state.opt_state}


def folder_of(workdir: pathlib.Path) -> pathlib.Path:
    """The folder of the checkpoints of a run."""
    return (workdir / "checkpoints").absolute()


def complete_steps(workdir: pathlib.Path) -> list[int]:
    """The steps of the checkpoints of a run by the names of their folders, in order.

    In a bucket, where folders cannot be renamed, a complete checkpoint has a marker.
    """
    steps = sorted(int(path.name) for path in named_as_steps(folder_of(workdir)) if path.is_dir())
    if not is_remote(workdir):
        return steps
    return [step for step in steps if (folder_of(workdir) / str(step) / MARKER).is_file()]


def named_as_steps(folder: pathlib.Path) -> list[pathlib.Path]:
    """The files and folders whose names are those of steps, such as "120"."""
    paths = folder.glob("*")
    return [p for p in paths if p.name.isdecimal() and p.name == str(int(p.name))]


def latest_step(workdir: pathlib.Path) -> int | None:
    """The step of the latest complete checkpoint of a run, or None; changes nothing.

    The remains of an earlier one, whose deletion was cut off, are passed over; the next deletion
    removes them.

    Raises:
        CheckpointError: if a folder has a step's name but is no checkpoint (`open_manager` would
            take it for one and delete it as too old), or if there is a file instead of the folder.
    """
    if folder_of(workdir).is_file():
        raise CheckpointError(f"{folder_of(workdir)} is a file, not a folder; move it elsewhere.")
    steps = complete_steps(workdir)
    for step in steps:
        path = folder_of(workdir) / str(step)
        if step != steps[-1] and _is_remains(path):
            continue
        if not (path / DESCRIPTION).is_dir():
            raise CheckpointError(
                f"{path} is no checkpoint, or has lost its {DESCRIPTION}; move it elsewhere."
            )
    return max(steps, default=None)


def _is_remains(folder: pathlib.Path) -> bool:
    """True if a folder holds parts of a checkpoint only, but not its description, or nothing."""
    names = {path.name for path in folder.glob("*")}
    return DESCRIPTION not in names and names <= _PARTS


def check_empty(workdir: pathlib.Path) -> None:
    """Raises `CheckpointError` if a run has checkpoints, or they cannot be read."""
    step = latest_step(workdir)
    if step is not None:
        raise CheckpointError(
            f"{folder_of(workdir)} already has a checkpoint of step {step}; give another --workdir."
        )
