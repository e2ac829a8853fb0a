"""Sharding as a value: the partition of arrays over a row of devices."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from symmflow_jax.runtime.processes import BATCH_AXIS

_SMALLEST_SPLIT = 4096
"""Arrays with fewer elements are replicated, because their exchange costs more than memory."""


@dataclasses.dataclass(frozen=True)
class Sharding:
    """Partition of arrays over devices.

    An array is split along its largest axis that is a multiple of the number of devices. Arrays
    without such an axis and small arrays are replicated. Batches are split along their first
    axis.

    Attributes:
        devices: the devices in one row.
        smallest_split: smallest number of elements of a split array; None replicates all arrays.
    """

    devices: tuple[jax.Device, ...]
    smallest_split: int | None = _SMALLEST_SPLIT

    @property
    def mesh(self) -> Mesh:
        """The devices as a mesh of one axis."""
        return Mesh(np.array(self.devices), (BATCH_AXIS,))

    def spec(self, array: Any) -> PartitionSpec:
        """The partition of one array."""
        count = len(self.devices)
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
        return NamedSharding(self.mesh, PartitionSpec(BATCH_AXIS))

    @property
    def whole(self) -> NamedSharding:
        """The sharding of replicated arrays."""
        return NamedSharding(self.mesh, PartitionSpec())

    def local(self) -> "Sharding":
        """The same rule over the devices of this process only."""
        return dataclasses.replace(self, devices=tuple(local_devices(self.devices)))


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
