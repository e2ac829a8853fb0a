"""A sum over all devices: whether it is right, and how fast."""

import threading
import time

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

_AXIS = "device"
_ROUNDS = 3


class CollectiveError(RuntimeError):
    """Devices do not reach each other, or their sum is wrong."""


def bandwidth(num_bytes: int, patience: float) -> float | None:
    """Gigabytes per second that each device sends in an all-reduce; None for a device alone.

    Args:
        num_bytes: size of each device's array of float32.
        patience: seconds until the devices are taken to be out of each other's reach.

    Raises:
        CollectiveError: if the sum is wrong, or is not there in time.
    """
    count = jax.device_count()
    if count == 1:
        return None
    results: list[float | BaseException] = []

    def measure() -> None:
        try:
            results.append(_seconds(num_bytes // 4))
        except Exception as error:
            results.append(error)

    # In a thread, because nothing ends a collective that waits for ever.
    thread = threading.Thread(target=measure, daemon=True)
    thread.start()
    thread.join(patience)
    if not results:
        raise CollectiveError(
            f"A sum over {count} devices was not there after {patience:g} s: the hosts do not "
            "reach each other. Open all ports between them in the firewall; name the network with "
            "NCCL_SOCKET_IFNAME (CUDA) if a host has several."
        )
    if isinstance(results[0], BaseException):
        raise results[0]
    # A ring sends every part of an array twice, but for the part that a device begins with.
    return num_bytes * 2 * (count - 1) / count / results[0] / 1e9


def _seconds(size: int) -> float:
    devices = np.array(jax.devices())
    mesh = Mesh(devices, (_AXIS,))
    split = NamedSharding(mesh, PartitionSpec(_AXIS))

    def values(index: tuple[slice, ...] | None) -> np.ndarray:
        first = index[0].start if index else 0
        return np.full((1, size), 1.0 + (first or 0), np.float32)

    array = jax.make_array_from_callback((len(devices), size), split, values)
    whole = PartitionSpec()
    total = jax.jit(
        jax.shard_map(
            lambda part: jax.lax.psum(part, _AXIS),
            mesh=mesh,
            in_specs=PartitionSpec(_AXIS),
            out_specs=whole,
        )
    )
    found = np.unique(np.asarray(total(array).addressable_data(0)))
    expected = len(devices) * (len(devices) + 1) / 2
    if not np.array_equal(found, [expected]):
        raise CollectiveError(
            f"The sum over {len(devices)} devices is {found[:3]}, not {expected:g}: a device or a "
            "link computes wrongly; use other hosts."
        )
    seconds = []
    for _ in range(_ROUNDS):
        begin = time.perf_counter()
        jax.block_until_ready(total(array))
        seconds.append(time.perf_counter() - begin)
    return min(seconds)
