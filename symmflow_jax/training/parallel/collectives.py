"""The messages of a fully sharded train step: weights gathered, gradients scattered."""

from collections.abc import Sequence

import jax
from jax.sharding import PartitionSpec

from symmflow_jax.runtime.processes import BATCH_AXIS

Groups = list[list[int]] | None
"""Devices, by their places in the batch's axis, that exchange messages; None is all of them."""

_NEIGHBOURS = 4


def gather(part: jax.Array, spec: PartitionSpec) -> jax.Array:
    """The whole array, on every device, of the parts that `spec` says they have."""
    if BATCH_AXIS not in spec:
        return part
    return jax.lax.all_gather(part, BATCH_AXIS, axis=spec.index(BATCH_AXIS), tiled=True)


def scattered_mean(array: jax.Array, spec: PartitionSpec, stages: Sequence[Groups]) -> jax.Array:
    """The mean of the devices' arrays, of which a device is left with its part by `spec`.

    Args:
        array: a device's own.
        spec: how the mean is split.
        stages: who sums with whom, one exchange after the other; see `scatter_stages`.
    """
    if BATCH_AXIS not in spec:
        return jax.lax.pmean(array, BATCH_AXIS)
    axis, total = spec.index(BATCH_AXIS), array
    for groups in stages:
        total = jax.lax.psum_scatter(
            total, BATCH_AXIS, scatter_dimension=axis, tiled=True, axis_index_groups=groups
        )
    return total / jax.lax.axis_size(BATCH_AXIS)


def scatter_stages(devices: Sequence[jax.Device]) -> tuple[Groups, ...]:
    """The exchanges that leave each device with its part of a sum.

    One, of all devices; but of that XLA makes an all-reduce, with twice the bytes to send, on
    TPU slices such as v5e:4x4. In two exchanges it leaves the first, which sends most, as it is.
    (Read in compiled modules. Slices of 128 chips and more get all-reduces in either way.)
    """
    count = len(devices)
    if devices[0].platform != "tpu" or count < 16:
        return (None,)
    return two_stages(count, _NEIGHBOURS)


def two_stages(count: int, size: int) -> tuple[Groups, Groups]:
    """First among the devices with the same place in each `size` neighbours, then among these."""
    places = range(count)
    return (
        [list(places[first::size]) for first in range(size)],
        [list(places[first : first + size]) for first in range(0, count, size)],
    )
