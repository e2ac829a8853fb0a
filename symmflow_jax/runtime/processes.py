"""Processes and devices, and placement of arrays on local devices for inference."""

import dataclasses
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

BATCH_AXIS = "batch"
"""Name of the mesh axis over which batches are split."""


@dataclasses.dataclass(frozen=True)
class Shard:
    """The part of the data that a process reads: one of `count` parts of equal size."""

    index: int = 0
    count: int = 1


def shard() -> Shard:
    """This process's part of the data."""
    return Shard(jax.process_index(), jax.process_count())


def is_primary() -> bool:
    """True for the process that writes the files."""
    return jax.process_index() == 0


def check_batch_size(batch_size: int, num_devices: int, what: str) -> None:
    """Raises a `ValueError` if a batch does not split evenly over the devices.

    Args:
        batch_size: examples per batch.
        num_devices: number of devices, times the number of microbatches.
        what: name of the config value in the error message.
    """
    if batch_size % num_devices:
        lower = batch_size // num_devices * num_devices
        choices = " or ".join(str(n) for n in (lower, lower + num_devices) if n)
        raise ValueError(
            f"{what} is {batch_size}, which {num_devices} devices (times microbatches) do not "
            f"divide; choose {choices}."
        )


def check_single_process(what: str) -> None:
    """Raises a `ValueError` if several processes run the command `what`."""
    if jax.process_count() > 1:
        raise ValueError(
            f"{what} runs in one process, not in {jax.process_count()}; start it on one host."
        )


def local_mesh() -> Mesh:
    """A mesh of the local devices with the axis `BATCH_AXIS`, for inference under `jit`."""
    return Mesh(np.array(jax.local_devices()), (BATCH_AXIS,))


def put_batch(batch: Any, mesh: Mesh) -> Any:
    """Splits arrays `[batch, ...]` over the devices of a mesh."""
    return jax.device_put(batch, NamedSharding(mesh, PartitionSpec(BATCH_AXIS)))


def put_replicated(tree: Any, mesh: Mesh) -> Any:
    """Copies arrays to every device of a mesh."""
    return jax.device_put(tree, NamedSharding(mesh, PartitionSpec()))


def sum_over_processes(tree: Any) -> Any:
    """The sum of each array over all processes, as NumPy arrays."""
    if jax.process_count() == 1:
        return jax.tree.map(np.asarray, tree)
    return jax.tree.map(lambda array: np.sum(_gather(np.asarray(array)), axis=0), tree)


def _gather(array: np.ndarray) -> np.ndarray:
    """The arrays of all processes, stacked on a new leading axis."""
    if array.dtype.itemsize < 8:
        return np.asarray(multihost_utils.process_allgather(array))
    # Devices truncate 64 bits to 32, so such numbers are sent as halves.
    halves = np.ascontiguousarray(array).reshape(-1).view(np.uint32)
    gathered = np.ascontiguousarray(multihost_utils.process_allgather(halves))
    return gathered.view(array.dtype).reshape(-1, *array.shape)
