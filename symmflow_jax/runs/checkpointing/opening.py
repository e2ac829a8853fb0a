"""Orbax managers of the checkpoints of a run, and which checkpoint is taken."""

import json
import logging
import pathlib
from collections.abc import Iterable

import orbax.checkpoint as ocp
from absl import flags
from orbax.checkpoint import checkpoint_managers as ocp_managers

from symmflow_jax.runs.bucket import managers
from symmflow_jax.runs.checkpointing.layout import (
    ITEMS,
    METRICS,
    STEP_METADATA,
    folder_of,
    named_as_steps,
)
from symmflow_jax.runs.checkpointing.quiet_failures import silence_failures
from symmflow_jax.runtime import files
from symmflow_jax.runtime.errors import CheckpointError, first_line, refusal
from symmflow_jax.runtime.storage.place import is_remote

_logger = logging.getLogger(__name__)

_BARRIERS = "experimental_orbax_use_distributed_barrier"  # Orbax's flag.


def open_manager(workdir: pathlib.Path, keep: int) -> ocp.CheckpointManager:
    """Opens `workdir/checkpoints` for writing; keeps the last `keep` and the best checkpoint.

    Saving is asynchronous. A checkpoint gets its final name only when it is complete. Remains of
    incomplete ones are removed.

    Raises:
        CheckpointError: if the folder cannot be made, or holds files that cannot be read.
    """
    silence_failures()
    best = ocp_managers.BestN(get_metric_fn=_score, n=1, keep_checkpoints_without_metrics=False)
    options = ocp.CheckpointManagerOptions(
        preservation_policy=ocp_managers.AnyPreservationPolicy([ocp_managers.LatestN(keep), best]),
        best_fn=_score,
        cleanup_tmp_directories=True,
    )
    return _open(workdir, options)


def open_to_read(workdir: pathlib.Path) -> ocp.CheckpointManager:
    """Opens `workdir/checkpoints` for reading only.

    Raises:
        CheckpointError: if the folder does not exist, or holds files that cannot be read.
    """
    if not folder_of(workdir).is_dir():
        raise CheckpointError(
            f"{workdir} holds no checkpoints; train first with the same --config and --workdir."
        )
    options = ocp.CheckpointManagerOptions(best_fn=_score, read_only=True, create=False)
    return _open(workdir, options)


def _open(workdir: pathlib.Path, options: ocp.CheckpointManagerOptions) -> ocp.CheckpointManager:
    folder = folder_of(workdir)
    _name_files(folder)
    if not is_remote(folder):  # A bucket has no pipes.
        refuse_pipes((*folder.glob(f"*/{STEP_METADATA}"), *folder.glob(f"*/{METRICS}/*")))
    _check_scores(folder)
    _wait_without_devices()
    if is_remote(folder):
        return managers.open_in_bucket(folder, options, ITEMS)
    try:
        return ocp.CheckpointManager(folder, options=options, item_names=ITEMS)
    except Exception as error:
        raise CheckpointError(
            f"{folder} cannot be opened ({refusal(error)}); free space or allow access there, or "
            "give another --workdir."
        ) from error


def refuse_pipes(entries: Iterable[pathlib.Path]) -> None:
    """Raises CheckpointError for a pipe or a device, for which a reader would wait."""
    for entry in entries:
        if files.waits(entry):
            raise CheckpointError(
                f"{entry} is no file and no folder, so its checkpoint cannot be read; copy it "
                "again, or remove that folder."
            )


def _wait_without_devices() -> None:
    """Lets processes wait for each other in JAX's service, not in a sum over their devices.

    A checkpoint that is saved while an evaluation is ended would otherwise mix its sums with those
    of the evaluation.
    """
    if _BARRIERS in flags.FLAGS:
        flags.FLAGS[_BARRIERS].value = True


def _name_files(folder: pathlib.Path) -> None:
    """Warns of a file in the place of a checkpoint; an earlier one is then taken."""
    for path in named_as_steps(folder):
        if not path.is_dir():
            _logger.warning(
                "%s has the name of a checkpoint, but is no folder; it is passed over.", path
            )


def _check_scores(folder: pathlib.Path) -> None:
    """Raises CheckpointError for a damaged file of scores, which Orbax reads when it opens."""
    for path in sorted(folder.glob(f"*/{METRICS}")):
        try:
            json.loads((path / METRICS).read_bytes())["score"] + 0.0
        except FileNotFoundError:  # Another process has removed the checkpoint.
            continue
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"{path} is damaged ({first_line(error)}); remove this folder: its checkpoint "
                "then has no score, and keeps its weights."
            ) from error


def choose_step(manager: ocp.CheckpointManager, which: str) -> int:
    """The step of the "latest" or the "best" checkpoint; without scores the latest one.

    Raises:
        CheckpointError: if there is no checkpoint.
    """
    steps = {"latest": manager.latest_step, "best": manager.best_step}
    if which not in steps:
        raise ValueError(f"The checkpoint is {which!r}; choose one of {', '.join(steps)}.")
    step = steps[which]()
    step = manager.latest_step() if step is None else step
    if step is None:
        raise CheckpointError(
            f"{managers.place_of(manager)} holds no complete checkpoint; train first with the same "
            "--config and --workdir."
        )
    return step


def score_of(manager: ocp.CheckpointManager, step: int) -> float | None:
    """The score of a checkpoint; None if it was saved without one."""
    path = managers.place_of(manager) / str(step) / METRICS
    return manager.metrics(step)["score"] if path.is_dir() else None


def _score(metrics: dict[str, float]) -> float:
    return metrics["score"]
