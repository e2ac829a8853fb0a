"""Checkpoints that are read: the state of a training, its averaged weights, its description."""

import contextlib
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from flax import traverse_util

from symmflow_jax.config import conversion
from symmflow_jax.interop.finite import check_finite
from symmflow_jax.methods.weights import Params
from symmflow_jax.runs.bucket import managers
from symmflow_jax.runs.checkpointing import opening
from symmflow_jax.runs.checkpointing.layout import DESCRIPTION, EMA, TRAINING, without_ema
from symmflow_jax.runs.checkpointing.quiet_failures import failures_silenced
from symmflow_jax.runtime.errors import CheckpointError, first_line
from symmflow_jax.runtime.storage.place import is_remote
from symmflow_jax.semantics.labels import LabelSchema
from symmflow_jax.training.state import TrainState


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
                    TRAINING: ocp.args.StandardRestore(without_ema(targets)),
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
    opening.refuse_pipes((managers.place_of(manager) / str(step)).rglob("*"))


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


def _target(leaf: Any) -> Any:
    """The restore target of Orbax for an array: its shape with a sharding, or a NumPy array."""
    return leaf if leaf.sharding is not None else np.zeros(leaf.shape, leaf.dtype)


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
