"""Checkpoints that are written: a state of the training or weights only, and a description."""

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

import orbax.checkpoint as ocp

from symmflow_jax.methods.weights import Params
from symmflow_jax.runs.bucket import managers
from symmflow_jax.runs.checkpointing.layout import (
    DESCRIPTION,
    EMA,
    METRICS,
    TRAINING,
    folder_of,
    without_ema,
)
from symmflow_jax.runtime import files
from symmflow_jax.runtime.errors import CheckpointError, refusal
from symmflow_jax.runtime.storage.place import is_remote
from symmflow_jax.training.state import TrainState


def save(
    manager: ocp.CheckpointManager,
    state: TrainState,
    description: dict[str, Any],
    score: float | None,
) -> None:
    """Starts to write a checkpoint; `finish` waits for its end.

    Args:
        manager: manager from `open_manager`.
        state: NumPy arrays that are not overwritten later, or device arrays, which are copied
            before this function returns. Each process writes its own parts.
        description: plain values from which the model is rebuilt without the data set.
        score: score of the checkpoint, higher is better; None without a measurement.

    Raises:
        CheckpointError: if the file system refuses, for instance because it is full.
    """
    step = int(state.step)
    with _explain_write_errors(manager):
        manager.save(
            step,
            args=ocp.args.Composite(
                **{
                    EMA: ocp.args.StandardSave(state.ema_params),
                    TRAINING: ocp.args.StandardSave(without_ema(state)),
                    DESCRIPTION: ocp.args.JsonSave(description),
                }
            ),
            metrics=None if score is None else {"score": score},
            force=True,
        )


def save_weights(
    manager: ocp.CheckpointManager, params: Params, description: dict[str, Any]
) -> None:
    """Writes a checkpoint of step 0 with weights only, from which training can start.

    Args:
        manager: manager from `open_manager`, without checkpoints (`check_empty`).
        params: parameters as NumPy arrays.
        description: description as in `save`.

    Raises:
        CheckpointError: if the file system refuses.
    """
    items = {
        EMA: ocp.args.StandardSave(params),
        DESCRIPTION: ocp.args.JsonSave(description),
    }
    with _explain_write_errors(manager):
        manager.save(0, args=ocp.args.Composite(**items), force=True)
        manager.wait_until_finished()


def add_score(workdir: pathlib.Path, step: int, score: float) -> None:
    """Adds the score to a checkpoint that was saved without one, as `save` writes it.

    A manager reads scores when it is opened.

    Raises:
        OSError: if the file system refuses.
    """
    final = folder_of(workdir) / str(step) / METRICS
    if is_remote(workdir):  # A single file, which is there at once or not at all.
        (final / METRICS).write_text(files.as_json({"score": score}), encoding="utf-8")
        return
    partial = folder_of(workdir) / f"{step}.{METRICS}.partial"
    partial.mkdir(exist_ok=True)
    (partial / METRICS).write_text(files.as_json({"score": score}), encoding="utf-8")
    partial.rename(final)


def finish(manager: ocp.CheckpointManager) -> None:
    """Waits until the last checkpoint is complete; raises CheckpointError like `save`."""
    with _explain_write_errors(manager):
        manager.wait_until_finished()


@contextlib.contextmanager
def _explain_write_errors(manager: ocp.CheckpointManager) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        latest = managers.latest_step(manager)
        kept = "none was complete before" if latest is None else f"step {latest} is complete"
        managers.refuse(error, manager, f"A checkpoint could not be written; {kept}")
        raise CheckpointError(
            f"A checkpoint could not be written to {managers.place_of(manager)} "
            f"({refusal(error)}); {kept}. Free space there, or give another --workdir, and run the "
            "command again."
        ) from error
