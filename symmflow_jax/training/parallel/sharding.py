"""Sharding as a value: the partition of arrays over the devices of one or several slices."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from symmflow_jax.runtime.processes import BATCH_AXIS

SLICE_AXIS = "slice"
"""Name of the mesh axis over slices, which a slower network joins."""

DATA_AXES = (SLICE_AXIS, BATCH_AXIS)
"""The mesh axes over which a batch is split."""

_SMALLEST_SPLIT = 4096
"""Arrays with fewer elements are replicated, because their exchange costs more than memory."""


@dataclasses.dataclass(frozen=True)
class Sharding:
    """Partition of arrays over devices.

    Within a slice, an array is split along its largest axis that is a multiple of the number of
    the slice's devices. Arrays without such an axis and small arrays are replicated, and every
    slice holds the same. Batches are split over all devices along their first axis.

    Attributes:
        devices: the devices in one row, slice by slice.
        smallest_split: smallest number of elements of a split array; None replicates all arrays.
        num_slices: number of slices of equal size.
    """

    devices: tuple[jax.Device, ...]
    smallest_split: int | None = _SMALLEST_SPLIT
    num_slices: int = 1

    @property
    def mesh(self) -> Mesh:
        """The devices as a mesh `[slices, devices of a slice]`."""
        return Mesh(np.array(self.devices).reshape(self.num_slices, -1), DATA_AXES)

    @property
    def first_slice(self) -> tuple[jax.Device, ...]:
        """The devices of the first slice, among which the state is split."""
        return self.devices[: len(self.devices) // self.num_slices]

    def spec(self, array: Any) -> PartitionSpec:
        """The partition of one array."""
        count = len(self.first_slice)
        axes = [axis for axis, size in enumerate(array.shape) if size % count == 0]
        if self.smallest_split is None or array.size < self.smallest_split or not axes:
            return PartitionSpec()
        # Of equally long axes the first.
        axis = max(axes, key=lambda axis: array.shape[axis])
        return PartitionSpec(*[None] * axis, BATCH_AXIS)

    def specs(self, tree: Any) -> Any:
        """The partition of each array of a tree."""
        return jax.tree.map(self.spec, tree)

    def shardings(self, tree: Any) -> Any:
        """The sharding, partition and mesh, of each array of a tree."""
        mesh = self.mesh
        return jax.tree.map(lambda array: NamedSharding(mesh, self.spec(array)), tree)

    @property
    def of_batch(self) -> NamedSharding:
        """The sharding of arrays `[batch, ...]`."""
        return NamedSharding(self.mesh, PartitionSpec(DATA_AXES))

    @property
    def whole(self) -> NamedSharding:
        """The sharding of replicated arrays."""
        return NamedSharding(self.mesh, PartitionSpec())

    def local(self) -> "Sharding":
        """The same rule over the devices of this process only, which lie in one slice."""
        own = tuple(local_devices(self.devices))
        return dataclasses.replace(self, devices=own, num_slices=1)


def slices(devices: Sequence[jax.Device]) -> list[tuple[jax.Device, ...]]:
    """The devices of each TPU slice, in the order of the slices' numbers.

    Devices of other kinds form one slice.

    Raises:
        ValueError: if the slices have different numbers of devices.
    """
    found: dict[int, list[jax.Device]] = {}
    for device in devices:
        # The devices of a single slice may not have the attribute.
        number = getattr(device, "slice_index", 0) if device.platform == "tpu" else 0
        found.setdefault(number, []).append(device)
    groups = [tuple(found[number]) for number in sorted(found)]
    counts = sorted({len(group) for group in groups})
    if len(counts) > 1:
        raise ValueError(
            f"The slices have {' and '.join(map(str, counts))} devices; give slices of one size, "
            "or --config.parallel=pmap."
        )
    return groups


def local_devices(devices: Sequence[jax.Device]) -> list[jax.Device]:
    """The devices of this process."""
    return [device for device in devices if device.process_index == jax.process_index()]


def with_sharding(shapes: Any, sharding: NamedSharding) -> Any:
    """Shapes of arrays that all have one sharding."""
    return jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding), shapes
    )


def key_shape() -> jax.ShapeDtypeStruct:
    """The shape of a random key."""
    return jax.eval_shape(jax.random.key, 0)
