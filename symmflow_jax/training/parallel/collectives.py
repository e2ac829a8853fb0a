"""The collectives of a fully sharded train step: all-gather and reduce-scatter."""

from collections.abc import Sequence

import jax
from jax.sharding import PartitionSpec

from symmflow_jax.runtime.processes import BATCH_AXIS
from symmflow_jax.training.parallel.sharding import DATA_AXES, SLICE_AXIS

Groups = list[list[int]] | None
"""Groups of a slice's devices in a collective, by position; None for one group of all."""

_NEIGHBOURS = 4


def gather(part: jax.Array, spec: PartitionSpec) -> jax.Array:
    """All-gathers an array from the parts that the devices of a slice hold by `spec`."""
    if BATCH_AXIS not in spec:
        return part
    return jax.lax.all_gather(part, BATCH_AXIS, axis=spec.index(BATCH_AXIS), tiled=True)


def scattered_mean(array: jax.Array, spec: PartitionSpec, stages: Sequence[Groups]) -> jax.Array:
    """Averages the arrays of all devices; each device gets its part of the mean by `spec`.

    The sum is scattered within each slice first, so that only parts cross the slower network
    between slices.

    Args:
        array: the whole array of this device.
        spec: partition of the mean over the devices.
        stages: groups of the successive reduce-scatters; see `scatter_stages`.
    """
    if BATCH_AXIS not in spec:
        return jax.lax.pmean(array, DATA_AXES)
    axis, total = spec.index(BATCH_AXIS), array
    for groups in stages:
        total = jax.lax.psum_scatter(
            total, BATCH_AXIS, scatter_dimension=axis, tiled=True, axis_index_groups=groups
        )
    if jax.lax.axis_size(SLICE_AXIS) > 1:  # On CPU, XLA would copy the sum of one.
        total = jax.lax.psum(total, SLICE_AXIS)
    return total / jax.lax.axis_size(DATA_AXES)


def scatter_stages(devices: Sequence[jax.Device]) -> tuple[Groups, ...]:
    """Groups of the successive reduce-scatters of a sum within one slice.

    Normally there is one reduce-scatter over all devices. On TPU slices such as v5e:4x4, XLA
    replaces it by an all-reduce, which sends twice the bytes. Of two successive ones XLA keeps
    the first, which sends most of the bytes. (Observed in compiled modules; slices of 128 chips
    and more get all-reduces in both cases.)

    Args:
        devices: the devices of a slice.
    """
    count = len(devices)
    if devices[0].platform != "tpu" or count < 16:
        return (None,)
    return two_stages(count, _NEIGHBOURS)


def two_stages(count: int, size: int) -> tuple[Groups, Groups]:
    """Groups of devices `size` apart for the first stage, of `size` neighbours for the second."""
    places = range(count)
    return (
        [list(places[first::size]) for first in range(size)],
        [list(places[first : first + size]) for first in range(0, count, size)],
    )
