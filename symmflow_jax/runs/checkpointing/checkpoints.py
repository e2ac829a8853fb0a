"""Orbax checkpoints: training state and description of the model."""

import contextlib
import errno
import json
import logging
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from absl import flags
from flax import traverse_util
from orbax.checkpoint import checkpoint_managers as ocp_managers

from symmflow_jax.config import conversion
from symmflow_jax.interop.finite import check_finite
from symmflow_jax.methods.weights import Params
from symmflow_jax.runs.bucket import managers
from symmflow_jax.runs.checkpointing.layout import (
    DESCRIPTION,
    EMA,
    METRICS,
    TRAINING,
    folder_of,
    named_as_steps,
)
from symmflow_jax.runs.checkpointing.quiet_failures import failures_silenced, silence_failures
from symmflow_jax.runtime import files
from symmflow_jax.runtime.errors import CheckpointError, first_line
from symmflow_jax.runtime.storage.place import is_remote
from symmflow_jax.semantics.labels import LabelSchema
from symmflow_jax.training.state import TrainState

_logger = logging.getLogger(__name__)

TRAIN_SECONDS = "train_seconds"
"""Key of the time of the training in a description; earlier versions have none."""

_BARRIERS = "experimental_orbax_use_distributed_barrier"  # Orbax's flag.

# The refusals of a file system, as TensorStore spells them in longer messages.
_REFUSALS = [
    os.strerror(number)
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO)
]


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
    _check_scores(folder)
    _wait_without_devices()
    if is_remote(folder):
        return managers.open_in_bucket(folder, options, _items())
    try:
        return ocp.CheckpointManager(folder, options=options, item_names=_items())
    except Exception as error:
        raise CheckpointError(
            f"{folder} cannot be opened ({reason(error)}); free space or allow access there, or "
            "give another --workdir."
        ) from error


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
                    TRAINING: ocp.args.StandardSave(_without_ema(state)),
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


def score_of(manager: ocp.CheckpointManager, step: int) -> float | None:
    """The score of a checkpoint; None if it was saved without one."""
    path = managers.place_of(manager) / str(step) / METRICS
    return manager.metrics(step)["score"] if path.is_dir() else None


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


def restore_training(manager: ocp.CheckpointManager, state: TrainState) -> TrainState:
    """Restores the latest state.

    A checkpoint of weights only gives the state before the first step. The position in the data
    is not stored, because the number of a batch is that of its step; checkpoints of earlier
    versions also have Grain's own position.

    Args:
        manager: manager with at least one checkpoint.
        state: shapes and dtypes of the state. Arrays with a sharding are restored to its devices,
            independent of the devices that saved them; others become NumPy arrays.

    Raises:
        CheckpointError: if the checkpoint cannot be read.
    """
    step = manager.latest_step()
    if step == 0 and not (managers.place_of(manager) / str(step) / TRAINING).exists():
        return _start_from_weights(manager, step, state)
    targets = jax.tree.map(_target, state)
    with _explain_read_errors(manager, step):
        items = manager.restore(
            step,
            args=ocp.args.Composite(
                **{
                    EMA: ocp.args.StandardRestore(targets.ema_params),
                    TRAINING: ocp.args.StandardRestore(_without_ema(targets)),
                }
            ),
        )
    state = TrainState(ema_params=items[EMA], **items[TRAINING])
    for params in (state.params, state.ema_params):
        _check_finite(params, manager, step)
    return state


def _start_from_weights(manager: ocp.CheckpointManager, step: int, state: TrainState) -> TrainState:
    """The state before the first step, with zero for the step and the optimizer's state."""

    def zeros(leaf: Any) -> Any:
        sharding = getattr(leaf, "sharding", None)
        if sharding is None:
            return np.zeros(leaf.shape, leaf.dtype)
        return jnp.zeros(leaf.shape, leaf.dtype, device=sharding)

    return TrainState(
        step=zeros(state.step),
        # Separate buffers, because training donates both.
        params=restore_ema_params(manager, step, state.params),
        ema_params=restore_ema_params(manager, step, state.ema_params),
        opt_state=jax.tree.map(zeros, state.opt_state),
    )


def restore_description(manager: ocp.CheckpointManager, step: int) -> dict[str, Any]:
    """Restores the description of a checkpoint.

    Raises:
        CheckpointError: if it cannot be read, or does not hold a config and classes.
    """
    _check_entries(manager, step)
    with _explain_read_errors(manager, step):
        args = ocp.args.Composite(**{DESCRIPTION: ocp.args.JsonRestore()})
        description = manager.restore(step, args=args)[DESCRIPTION]
        if not isinstance(description, dict) or not description.keys() >= {"config", "schema"}:
            raise ValueError("its description is empty, or lacks config or schema")
        conversion.from_saved_json(description["config"])
        LabelSchema.from_json(description["schema"])
    return description


def _check_entries(manager: ocp.CheckpointManager, step: int) -> None:
    """Raises CheckpointError if a checkpoint has a pipe or a device, which Orbax would wait for."""
    if is_remote(managers.place_of(manager)):  # It has no pipes.
        return
    for entry in (managers.place_of(manager) / str(step)).rglob("*"):
        if files.waits(entry):
            raise CheckpointError(
                f"{entry} is no file and no folder, so the checkpoint of step {step} cannot be "
                "read; copy it again, or remove that folder."
            )


def restore_ema_params(manager: ocp.CheckpointManager, step: int, params: Params) -> Params:
    """Restores the averaged parameters; `params` has shapes and dtypes as in `restore_training`.

    Raises:
        CheckpointError: if they cannot be read, or are not finite.
    """
    targets = jax.tree.map(_target, params)
    with _explain_read_errors(manager, step):
        args = ocp.args.Composite(**{EMA: ocp.args.StandardRestore(targets)})
        restored = manager.restore(step, args=args)[EMA]
    _check_finite(restored, manager, step)
    return restored


def _check_finite(params: Params, manager: ocp.CheckpointManager, step: int) -> None:
    arrays: dict[str, np.ndarray] = {}
    for name, leaf in traverse_util.flatten_dict(params, sep="/").items():
        # Other processes look at their own parts.
        shards = leaf.addressable_shards if isinstance(leaf, jax.Array) else ()
        arrays |= {f"{name} {shard.index}": np.asarray(shard.data) for shard in shards[1:]}
        arrays[name] = np.asarray(shards[0].data) if shards else leaf
    try:
        check_finite(arrays)
    except ValueError as error:
        raise CheckpointError(
            f"The checkpoint of step {step} in {managers.place_of(manager)}: {error} To go on from "
            f"the one before, remove the folder {step} there."
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


def _score(metrics: dict[str, float]) -> float:
    return metrics["score"]


def _items() -> tuple[str, ...]:
    return (EMA, TRAINING, DESCRIPTION)


def _target(leaf: Any) -> Any:
    """The restore target of Orbax for an array: its shape with a sharding, or a NumPy array."""
    return leaf if leaf.sharding is not None else np.zeros(leaf.shape, leaf.dtype)


def _without_ema(state: TrainState) -> dict[str, Any]:
    return {"step": state.step, "params": state.params, "opt_state": state.opt_state}


def reason(error: BaseException) -> str:
    """What a file system refuses, or else the first line of an error."""
    text = str(error)
    return next((refusal for refusal in _REFUSALS if refusal in text), first_line(error))


@contextlib.contextmanager
def _explain_write_errors(manager: ocp.CheckpointManager) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        latest = managers.latest_step(manager)
        kept = "none was complete before" if latest is None else f"step {latest} is complete"
        managers.refuse(error, manager, f"A checkpoint could not be written; {kept}")
        raise CheckpointError(
            f"A checkpoint could not be written to {managers.place_of(manager)} ({reason(error)}); "
            f"{kept}. Free space there, or give another --workdir, and run the command again."
        ) from error


@contextlib.contextmanager
def _explain_read_errors(manager: ocp.CheckpointManager, step: int) -> Iterator[None]:
    try:
        with failures_silenced():
            yield
    except Exception as error:
        managers.refuse(error, manager, f"The checkpoint of step {step} could not be read")
        is_only = list(manager.all_steps()) == [step]
        remedy = (
            "It is the only one: give another --workdir"
            if is_only
            else f"If it is damaged, remove the folder {step} there: the run then goes on from the "
            "one before"
        )
        raise CheckpointError(
            f"The checkpoint of step {step} in {managers.place_of(manager)} cannot be read "
            f"({first_line(error)}). {remedy}."
        ) from error
