"""Orbax checkpoints: training state, data position and the model's own description together."""

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

import grain
import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint import checkpoint_managers as ocp_managers

from symmflow_jax.methods.symmflow import Params
from symmflow_jax.runtime.errors import CheckpointError, first_line
from symmflow_jax.training.state import TrainState

# The items of a checkpoint. The averaged parameters are an item of their own, so that
# inference reads them without the optimizer's state.
_EMA = "ema_params"
_TRAINING = "training"
_DATA = "data"
_DESCRIPTION = "description"


def open_manager(workdir: pathlib.Path, keep: int) -> ocp.CheckpointManager:
    """Checkpoints under `workdir/checkpoints`: the last `keep`, and the one of the best score.

    Saving is asynchronous, and a checkpoint gets its final name only when it is complete.
    """
    best = ocp_managers.BestN(get_metric_fn=_score, n=1, keep_checkpoints_without_metrics=False)
    options = ocp.CheckpointManagerOptions(
        preservation_policy=ocp_managers.AnyPreservationPolicy([ocp_managers.LatestN(keep), best]),
        best_fn=_score,
        cleanup_tmp_directories=True,
    )
    return ocp.CheckpointManager(_folder(workdir), options=options, item_names=_items())


def open_to_read(workdir: pathlib.Path) -> ocp.CheckpointManager:
    """The same checkpoints, without making or removing anything.

    Raises:
        CheckpointError: if the folder has no checkpoints.
    """
    if not _folder(workdir).is_dir():
        raise CheckpointError(
            f"{workdir} holds no checkpoints; train first with the same --config and --workdir."
        )
    options = ocp.CheckpointManagerOptions(best_fn=_score, read_only=True)
    return ocp.CheckpointManager(_folder(workdir), options=options, item_names=_items())


def save(
    manager: ocp.CheckpointManager,
    state: TrainState,
    iterator: grain.DatasetIterator,
    description: dict[str, Any],
    score: float | None,
) -> None:
    """Begins to write a checkpoint; `manager.wait_until_finished()` ends it.

    Args:
        manager: from `open_manager`.
        state: NumPy arrays that nothing overwrites, or arrays of devices, which are copied
            from them before this function returns; each process writes the parts it has.
        iterator: the training data, at the batch after the state's last.
        description: plain values that let the model be rebuilt without the data set.
        score: higher is better; None where nothing was measured.

    Raises:
        CheckpointError: if the file system refuses, for instance because it is full.
    """
    step = int(state.step)
    with _explain_write_errors(manager):
        manager.save(
            step,
            args=ocp.args.Composite(
                **{
                    _EMA: ocp.args.StandardSave(state.ema_params),
                    _TRAINING: ocp.args.StandardSave(_without_ema(state)),
                    _DATA: ocp.args.JsonSave(iterator.get_state()),
                    _DESCRIPTION: ocp.args.JsonSave(description),
                }
            ),
            metrics=None if score is None else {"score": score},
            force=True,
        )


def save_weights(
    manager: ocp.CheckpointManager, params: Params, description: dict[str, Any]
) -> None:
    """Writes a checkpoint of step 0 that has weights alone: where a training can begin.

    Args:
        manager: from `open_manager`, without checkpoints.
        params: parameters as NumPy arrays.
        description: as in `save`.

    Raises:
        CheckpointError: if there are checkpoints already, or the file system refuses.
    """
    if manager.latest_step() is not None:
        raise CheckpointError(
            f"{manager.directory} already has a checkpoint of step {manager.latest_step()}; give "
            "another --workdir."
        )
    items = {
        _EMA: ocp.args.StandardSave(params),
        _DESCRIPTION: ocp.args.JsonSave(description),
    }
    with _explain_write_errors(manager):
        manager.save(0, args=ocp.args.Composite(**items), force=True)
        manager.wait_until_finished()


def finish(manager: ocp.CheckpointManager) -> None:
    """Waits until the last checkpoint is complete; raises as `save`."""
    with _explain_write_errors(manager):
        manager.wait_until_finished()


def restore_training(
    manager: ocp.CheckpointManager, state: TrainState, iterator: grain.DatasetIterator
) -> TrainState:
    """The latest state; the iterator is set to the batch after it.

    After a checkpoint of weights alone it is the state before the first step.

    Args:
        manager: from `open_manager`, with at least one checkpoint.
        state: shapes and dtypes of the state. What has a sharding is restored to the devices
            of that sharding, whatever devices it was saved from; the rest to NumPy arrays.
        iterator: the training data, moved by this function.

    Raises:
        CheckpointError: if the files are damaged.
    """
    step = manager.latest_step()
    if not (manager.directory / str(step) / _TRAINING).exists():
        return _start_from_weights(manager, step, state)
    targets = jax.tree.map(_target, state)
    with _explain_read_errors(manager, step):
        items = manager.restore(
            step,
            args=ocp.args.Composite(
                **{
                    _EMA: ocp.args.StandardRestore(targets.ema_params),
                    _TRAINING: ocp.args.StandardRestore(_without_ema(targets)),
                    _DATA: ocp.args.JsonRestore(),
                }
            ),
        )
    iterator.set_state(items[_DATA])
    return TrainState(ema_params=items[_EMA], **items[_TRAINING])


def _start_from_weights(manager: ocp.CheckpointManager, step: int, state: TrainState) -> TrainState:
    """The state before the first step; steps and AdamW's moments are zero there."""

    def zeros(leaf: Any) -> Any:
        sharding = getattr(leaf, "sharding", None)
        if sharding is None:
            return np.zeros(leaf.shape, leaf.dtype)
        return jnp.zeros(leaf.shape, leaf.dtype, device=sharding)

    return TrainState(
        step=zeros(state.step),
        # Buffers of their own, since the training gives both away.
        params=restore_ema_params(manager, step, state.params),
        ema_params=restore_ema_params(manager, step, state.ema_params),
        opt_state=jax.tree.map(zeros, state.opt_state),
    )


def restore_description(manager: ocp.CheckpointManager, step: int) -> dict[str, Any]:
    """The plain values saved beside the weights."""
    with _explain_read_errors(manager, step):
        args = ocp.args.Composite(**{_DESCRIPTION: ocp.args.JsonRestore()})
        return manager.restore(step, args=args)[_DESCRIPTION]


def restore_ema_params(manager: ocp.CheckpointManager, step: int, params: Params) -> Params:
    """The averaged parameters; `params` are their shapes and dtypes, as in `restore_training`."""
    targets = jax.tree.map(_target, params)
    with _explain_read_errors(manager, step):
        args = ocp.args.Composite(**{_EMA: ocp.args.StandardRestore(targets)})
        return manager.restore(step, args=args)[_EMA]


def choose_step(manager: ocp.CheckpointManager, which: str) -> int:
    """The step of the "latest" or the "best" checkpoint; without scores the latest is best.

    Raises:
        CheckpointError: if there is none.
    """
    steps = {"latest": manager.latest_step, "best": manager.best_step}
    if which not in steps:
        raise ValueError(f"The checkpoint is {which!r}; choose one of {', '.join(steps)}.")
    step = steps[which]()
    step = manager.latest_step() if step is None else step
    if step is None:
        raise CheckpointError(
            f"{manager.directory} holds no complete checkpoint; train first with the same "
            "--config and --workdir."
        )
    return step


def _folder(workdir: pathlib.Path) -> pathlib.Path:
    return (workdir / "checkpoints").absolute()


def _score(metrics: dict[str, float]) -> float:
    return metrics["score"]


def _items() -> tuple[str, ...]:
    return (_EMA, _TRAINING, _DATA, _DESCRIPTION)


def _target(leaf: Any) -> Any:
    """What Orbax takes for an array that is to be on devices, or in NumPy."""
    return leaf if leaf.sharding is not None else np.zeros(leaf.shape, leaf.dtype)


def _without_ema(state: TrainState) -> dict[str, Any]:
    return {"step": state.step, "params": state.params, "opt_state": state.opt_state}


@contextlib.contextmanager
def _explain_write_errors(manager: ocp.CheckpointManager) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        latest = manager.latest_step()
        kept = "none was complete before" if latest is None else f"step {latest} is complete"
        raise CheckpointError(
            f"A checkpoint could not be written to {manager.directory} ({first_line(error)}); "
            f"{kept}. Free space there, or give another --workdir, and run the command again."
        ) from error


@contextlib.contextmanager
def _explain_read_errors(manager: ocp.CheckpointManager, step: int) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise CheckpointError(
            f"The checkpoint of step {step} in {manager.directory} cannot be read "
            f"({first_line(error)}). If it is damaged, remove the folder {step} there: the run "
            "then goes on from the one before."
        ) from error
