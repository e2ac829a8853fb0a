"""The pmapped train step: every device holds the whole state."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from flax import jax_utils

from symmflow_jax.data.batch import Batch
from symmflow_jax.runtime import processes
from symmflow_jax.runtime.compilation import jit_once
from symmflow_jax.runtime.processes import BATCH_AXIS
from symmflow_jax.training.parallel.sharding import (
    Sharding,
    key_shape,
    local_devices,
    with_sharding,
)
from symmflow_jax.training.train_step import TrainStep


@dataclasses.dataclass(frozen=True)
class Pmapped:
    """Data parallelism: every device holds the whole state, and gradients are averaged.

    Placed arrays have a leading axis of local devices; a batch is `[local devices, batch /
    devices, ...]`. Fetched arrays are NumPy. The methods are those of `Parallelism`.

    Attributes:
        devices: the devices of all processes.
    """

    devices: tuple[jax.Device, ...]

    def create(self, function: Callable[[jax.Array], Any], key: jax.Array) -> Any:
        """The result, computed once and copied to every device."""
        return self.place(jit_once(function)(key))

    def targets(self, shapes: Any) -> Any:
        """The shapes themselves, because checkpoints are restored to NumPy arrays."""
        return shapes

    def place(self, tree: Any) -> Any:
        """Copies with a leading axis of local devices."""
        # The axis name equals that of the pmapped step, so its outputs have the type of its first
        # input and nothing is compiled again.
        return jax_utils.replicate(tree, local_devices(self.devices), axis_name=BATCH_AXIS)

    def place_batch(self, batch: Batch) -> Batch:
        """The batch with a leading axis of local devices."""
        count = len(local_devices(self.devices))
        return jax.tree.map(
            lambda array: array.reshape(count, array.shape[0] // count, *array.shape[1:]), batch
        )

    def arguments(self, state: Any, frozen: Any, batch: Batch) -> tuple[Any, ...]:
        """Shapes with a leading axis of devices."""
        count = len(self.devices)

        def copied(leaf: Any) -> jax.ShapeDtypeStruct:
            return jax.ShapeDtypeStruct((count, *leaf.shape), leaf.dtype)

        def split(leaf: Any) -> jax.ShapeDtypeStruct:
            shape = (count, leaf.shape[0] // count, *leaf.shape[1:])
            return jax.ShapeDtypeStruct(shape, leaf.dtype)

        copies = jax.tree.map(copied, (state, frozen))
        return (*copies, jax.tree.map(split, batch), key_shape())

    def compile(self, make_step: Callable[..., TrainStep]) -> jax.stages.Wrapped:
        """The step under `pmap`."""
        step = make_step(axis_name=BATCH_AXIS)
        return jax.pmap(
            step, BATCH_AXIS, in_axes=(0, 0, 0, None), devices=self.devices, donate_argnums=0
        )

    def fetch(self, tree: Any) -> Any:
        """Copies of one device's arrays, because the next step may overwrite its buffers."""
        return jax.tree.map(lambda array: np.array(array.addressable_data(0)[0]), tree)

    def read(self, metrics: Sequence[dict[str, jax.Array]]) -> list[dict[str, np.ndarray]]:
        """The metrics of one device; they are equal on all devices."""
        first = [{name: v.addressable_data(0)[0] for name, v in step.items()} for step in metrics]
        return jax.device_get(first)

    def for_inference(self, params: Any) -> Any:
        """Parameters replicated on every device of this process."""
        return processes.put_replicated(params, processes.local_mesh())

    def inference_arguments(self, params: Any, batch: Batch) -> tuple[Any, Batch]:
        """Shapes of replicated parameters and of a batch split over the devices."""
        own = Sharding(tuple(local_devices(self.devices)), smallest_split=None)
        return with_sharding(params, own.whole), with_sharding(batch, own.of_batch)
