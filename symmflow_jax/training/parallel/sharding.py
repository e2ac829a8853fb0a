"""Sharding as a value: how arrays lie on a row of devices."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from symmflow_jax.runtime.processes import BATCH_AXIS

_SMALLEST_SPLIT = 4096
"""Arrays with fewer elements stay whole: exchanging them would cost more than the memory."""


@dataclasses.dataclass(frozen=True)
class Sharding:
    """Which part of each array a device keeps.

    An array is split along its largest axis that the devices divide; one without such an axis,
    or with few elements, is whole on every device. Batches are split along their first axis.

    Attributes:
        devices: the devices, one row of them.
        smallest_split: elements from which an array is split; None keeps all arrays whole.
    """

    devices: tuple[jax.Device, ...]
    smallest_split: int | None = _SMALLEST_SPLIT

    @property
    def mesh(self) -> Mesh:
        """The devices as a mesh of one axis."""
        return Mesh(np.array(self.devices), (BATCH_AXIS,))

    def spec(self, array: Any) -> PartitionSpec:
        """How one array is split."""
        count = len(self.devices)
        axes = [axis for axis, size in enumerate(array.shape) if size % count == 0]
        if self.smallest_split is None or array.size < self.smallest_split or not axes:
            return PartitionSpec()
        # The first one of equal axes.
        axis = max(axes, key=lambda axis: array.shape[axis])
        return PartitionSpec(*[None] * axis, BATCH_AXIS)

    def specs(self, tree: Any) -> Any:
        """How each array of a tree is split."""
        return jax.tree.map(self.spec, tree)

    def shardings(self, tree: Any) -> Any:
        """The same, with the mesh."""
        mesh = self.mesh
        return jax.tree.map(lambda array: NamedSharding(mesh, self.spec(array)), tree)

    @property
    def of_batch(self) -> NamedSharding:
        """That of arrays `[batch, ...]`."""
        return NamedSharding(self.mesh, PartitionSpec(BATCH_AXIS))

    @property
    def whole(self) -> NamedSharding:
        """That of arrays which every device has."""
        return NamedSharding(self.mesh, PartitionSpec())

    def local(self) -> "Sharding":
        """The same rule over this process's devices alone."""
        return dataclasses.replace(self, devices=tuple(local_devices(self.devices)))


def local_devices(devices: Sequence[jax.Device]) -> list[jax.Device]:
    """The devices of this process."""
    return [device for device in devices if device.process_index == jax.process_index()]


def with_sharding(shapes: Any, sharding: NamedSharding) -> Any:
    """Shapes of arrays that all lie in one way."""
    return jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding), shapes
    )


def key_shape() -> jax.ShapeDtypeStruct:
    """The shape of a random key."""
    return jax.eval_shape(jax.random.key, 0)
