"""Managers of the checkpoints in buckets: Orbax's own, or one that copies."""

import pathlib

import jax
import orbax.checkpoint as ocp
from orbax.checkpoint._src.serialization import tensorstore_utils

from symmflow_jax.runs.bucket.staged_manager import StagedManager
from symmflow_jax.runtime.errors import CheckpointError
from symmflow_jax.runtime.storage import faults
from symmflow_jax.runtime.storage.bucket_path import BucketPath
from symmflow_jax.runtime.storage.place import as_path, is_remote


def open_in_bucket(
    folder: BucketPath, options: ocp.CheckpointManagerOptions, item_names: tuple[str, ...]
) -> ocp.CheckpointManager:
    """Opens checkpoints in a bucket: by Orbax itself, or by copies for a kind it does not know.

    Raises:
        ValueError: for several processes and a kind of bucket that Orbax does not know.
        StorageError: if the bucket refuses.
    """
    if str(folder).startswith("gs://"):
        _retry_for_a_minute()
        with faults.explained(str(folder)):
            return ocp.CheckpointManager(str(folder), options=options, item_names=item_names)
    if jax.process_count() > 1 and not options.read_only:
        raise ValueError(
            f"{folder}: {jax.process_count()} processes cannot save together to this kind of "
            "bucket, for which Orbax has no driver. Give a --workdir in gs://, or mount the bucket "
            "as a folder on all hosts (mount-s3) and give that, or train in one process."
        )
    return StagedManager(folder, options, item_names)


def place_of(manager: ocp.CheckpointManager) -> pathlib.Path:
    """The folder of a manager as users know it."""
    return manager.place if isinstance(manager, StagedManager) else as_path(str(manager.directory))


def latest_step(manager: ocp.CheckpointManager) -> int | None:
    """The last step that is complete where users look for it, or None."""
    if isinstance(manager, StagedManager):
        return manager.latest_in_bucket
    return manager.latest_step()


def refuse(error: Exception, manager: ocp.CheckpointManager, what: str) -> None:
    """Raises CheckpointError for an error that came from the bucket of the checkpoints.

    Args:
        error: the error.
        manager: the manager of the checkpoints.
        what: what could not be done, for the message.
    """
    place, fault = place_of(manager), faults.found_in(error)
    if is_remote(place) and fault is not None:
        raise CheckpointError(f"{what}. {faults.explain(fault, str(place))}") from error


def _retry_for_a_minute() -> None:
    """Lets TensorStore try for a minute, not for a quarter of an hour, if a server has gone.

    It goes on in the background of the training, whose end would wait for it.
    """
    for name in ("_BASE_TS_CONTEXT", "_DEFAULT_OCDBT_TS_CONTEXT"):
        context = getattr(tensorstore_utils, name, None)
        if isinstance(context, dict):
            context.setdefault("gcs_request_retries", {"max_retries": 6, "max_delay": "16s"})
