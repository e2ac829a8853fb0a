"""How devices share a training: each with the whole state, or each with a part of it."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import jax
import numpy as np
from flax import jax_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from symmflow_jax import distributed
from symmflow_jax.compilation import jit_once
from symmflow_jax.data.pipeline import Batch
from symmflow_jax.distributed import BATCH_AXIS
from symmflow_jax.sharded_messages import gather, scatter_stages, scattered_mean
from symmflow_jax.train_step import Gradient

_SMALLEST_SPLIT = 4096
"""Arrays with fewer elements stay whole: the messages would cost more than the memory."""


class Parallelism(Protocol):
    """Where the state and the batches of a training are, and how its step is compiled.

    The numbers that come out do not depend on it: every example has its own random key.
    """

    def create(self, function: Callable[[jax.Array], Any], key: jax.Array) -> Any:
        """The placed result of a function of a key, such as the first state."""

    def targets(self, shapes: Any) -> Any:
        """What a checkpoint of these shapes is restored into, see `checkpoints`."""

    def place(self, tree: Any) -> Any:
        """Puts what was restored, or other host arrays, where the step wants it."""

    def place_batch(self, batch: Batch) -> Any:
        """Puts this process's part of a batch where the step wants it."""

    def arguments(self, state: Any, batch: Any) -> tuple[Any, Any, Any]:
        """Shapes of the step's state, batch and key as placed, to compile it without arrays.

        Args:
            state: shapes of a state.
            batch: shapes of a whole batch.
        """

    def compile(self, make_step: Callable[..., Callable]) -> jax.stages.Wrapped:
        """Jits a train step over all devices; its state's buffers are given to it.

        The new state is placed as the old one.

        Args:
            make_step: `make_train_step` up to the arguments that say how devices share work.
        """

    def fetch(self, tree: Any) -> Any:
        """A placed tree as it is saved: the steps that follow do not change it."""

    def read(self, metrics: Sequence[dict[str, jax.Array]]) -> list[dict[str, np.ndarray]]:
        """The metrics of several steps as NumPy scalars; waits for the steps."""

    def for_inference(self, params: Any) -> Any:
        """Fetched or restored parameters over this process's devices, for `jax.jit`."""

    def inference_arguments(self, params: Any, batch: Any) -> tuple[Any, Any]:
        """Shapes of parameters `for_inference` and of a batch over the same devices."""


@dataclasses.dataclass(frozen=True)
class Replicated:
    """Every device has the whole state; the step is pmapped and averages the gradients.

    Placed arrays have a leading axis of local devices, and a batch is `[local devices, batch /
    devices, ...]`. Fetched arrays are NumPy.

    Attributes:
        devices: the devices of all processes.
    """

    devices: tuple[jax.Device, ...]

    def create(self, function: Callable[[jax.Array], Any], key: jax.Array) -> Any:
        return self.place(jit_once(function)(key))

    def targets(self, shapes: Any) -> Any:
        return shapes

    def place(self, tree: Any) -> Any:
        # The axis is named as in the pmapped step, whose results then look to the compiler
        # just like its first input.
        return jax_utils.replicate(tree, _local(self.devices), axis_name=BATCH_AXIS)

    def place_batch(self, batch: Batch) -> Any:
        count = len(_local(self.devices))
        return {
            name: array.reshape(count, array.shape[0] // count, *array.shape[1:])
            for name, array in batch.items()
        }

    def arguments(self, state: Any, batch: Any) -> tuple[Any, Any, Any]:
        count = len(self.devices)
        states = jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct((count, *leaf.shape), leaf.dtype), state
        )
        batches = {
            name: jax.ShapeDtypeStruct(
                (count, array.shape[0] // count, *array.shape[1:]), array.dtype
            )
            for name, array in batch.items()
        }
        return states, batches, _key_shape()

    def compile(self, make_step: Callable[..., Callable]) -> jax.stages.Wrapped:
        step = make_step(axis_name=BATCH_AXIS)
        return jax.pmap(
            step, BATCH_AXIS, in_axes=(0, 0, None), devices=self.devices, donate_argnums=0
        )

    def fetch(self, tree: Any) -> Any:
        # Copies, since the next step is given the device's buffers to overwrite.
        return jax.tree.map(lambda array: np.array(array.addressable_data(0)[0]), tree)

    def read(self, metrics: Sequence[dict[str, jax.Array]]) -> list[dict[str, np.ndarray]]:
        first = [{name: v.addressable_data(0)[0] for name, v in step.items()} for step in metrics]
        return jax.device_get(first)

    def for_inference(self, params: Any) -> Any:
        return distributed.put_replicated(params, distributed.local_mesh())

    def inference_arguments(self, params: Any, batch: Any) -> tuple[Any, Any]:
        own = _row_of(_local(self.devices))
        return _with_sharding(params, _whole(own)), _with_sharding(batch, _split(own))


@dataclasses.dataclass(frozen=True)
class FullySharded:
    """Every device keeps its part of parameters, average and optimizer state.

    A device works on its part of the batch. It puts the parameters together while it needs
    them, and is left with its part of the gradient. Fetched arrays are those of the devices.

    An array is split along its largest axis that the devices divide; one without such an axis,
    or with few elements, is whole on every device.

    Attributes:
        devices: the devices of all processes.
    """

    devices: tuple[jax.Device, ...]

    def create(self, function: Callable[[jax.Array], Any], key: jax.Array) -> Any:
        shardings = self._shardings(jax.eval_shape(function, key))
        return jit_once(function, out_shardings=shardings)(key)

    def targets(self, shapes: Any) -> Any:
        return jax.tree.map(_with_sharding, shapes, self._shardings(shapes))

    def place(self, tree: Any) -> Any:
        return jax.device_put(tree, self._shardings(tree))

    def place_batch(self, batch: Batch) -> Any:
        return jax.make_array_from_process_local_data(_split(self._mesh), batch)

    def arguments(self, state: Any, batch: Any) -> tuple[Any, Any, Any]:
        key = _with_sharding(_key_shape(), _whole(self._mesh))
        return self.targets(state), _with_sharding(batch, _split(self._mesh)), key

    def compile(self, make_step: Callable[..., Callable]) -> jax.stages.Wrapped:
        step = make_step(share=self._share)

        def placed_step(state: Any, batch: Any, key: jax.Array) -> Any:
            state, metrics = step(state, batch, key)
            state = jax.lax.with_sharding_constraint(state, self._shardings(state))
            return state, jax.lax.with_sharding_constraint(metrics, _whole(self._mesh))

        return jax.jit(placed_step, donate_argnums=0)

    def fetch(self, tree: Any) -> Any:
        # No copies: Orbax has them off the devices before `save` returns.
        return tree

    def read(self, metrics: Sequence[dict[str, jax.Array]]) -> list[dict[str, np.ndarray]]:
        return jax.device_get(list(metrics))

    def for_inference(self, params: Any) -> Any:
        """As they are placed; parts that are with other processes are fetched from there."""
        if all(array.is_fully_addressable for array in jax.tree.leaves(params)):
            return params
        own = FullySharded(tuple(_local(self.devices)))
        devices = sorted(self.devices, key=lambda device: device.process_index)
        rows = np.array(devices).reshape(-1, len(own.devices))
        mesh = Mesh(rows, ("process", BATCH_AXIS))
        shardings = jax.tree.map(
            lambda array: NamedSharding(mesh, _spec(array, len(own.devices))), params
        )
        copies = jax.jit(lambda tree: tree, out_shardings=shardings)(params)
        return jax.tree.map(
            lambda array, sharding: jax.make_array_from_single_device_arrays(
                array.shape, sharding, [shard.data for shard in array.addressable_shards]
            ),
            copies,
            own._shardings(params),
        )

    def inference_arguments(self, params: Any, batch: Any) -> tuple[Any, Any]:
        own = FullySharded(tuple(_local(self.devices)))
        return own.targets(params), _with_sharding(batch, _split(own._mesh))

    @property
    def _mesh(self) -> Mesh:
        return _row_of(self.devices)

    def _shardings(self, tree: Any) -> Any:
        mesh = self._mesh
        return jax.tree.map(lambda leaf: NamedSharding(mesh, _spec(leaf, len(self.devices))), tree)

    def _share(self, gradient: Gradient) -> Gradient:
        """The mean gradient over all devices, of which each is left with its part.

        The messages are written out. Left to itself, the compiler splits the convolutions by
        channels, several times the traffic and the memory; and sends every device all of the
        gradient, of which it keeps a part.
        """
        count, stages = len(self.devices), scatter_stages(self.devices)

        def shared(weights: Any, batch: Batch, key: jax.Array) -> Any:
            specs = jax.tree.map(lambda leaf: _spec(leaf, count), weights)

            def of_a_device(weights: Any, batch: Batch, key: jax.Array) -> Any:
                grads, metrics = gradient(jax.tree.map(gather, weights, specs), batch, key)
                mean = functools.partial(scattered_mean, stages=stages)
                grads = jax.tree.map(mean, grads, specs.network)
                return grads, jax.lax.pmean(metrics, BATCH_AXIS)

            return jax.shard_map(
                of_a_device,
                mesh=self._mesh,
                in_specs=(specs, PartitionSpec(BATCH_AXIS), PartitionSpec()),
                out_specs=(specs.network, PartitionSpec()),
                check_vma=False,
            )(weights, batch, key)

        return shared


def _spec(leaf: Any, count: int) -> PartitionSpec:
    """The largest axis of an array that `count` devices divide, the first of equal ones."""
    axes = [axis for axis, size in enumerate(leaf.shape) if size % count == 0]
    if leaf.size < _SMALLEST_SPLIT or not axes:
        return PartitionSpec()
    axis = max(axes, key=lambda axis: leaf.shape[axis])
    return PartitionSpec(*[None] * axis, BATCH_AXIS)


def _local(devices: Sequence[jax.Device]) -> list[jax.Device]:
    return [device for device in devices if device.process_index == jax.process_index()]


def _key_shape() -> jax.ShapeDtypeStruct:
    return jax.eval_shape(jax.random.key, 0)


def _with_sharding(shapes: Any, sharding: NamedSharding) -> Any:
    return jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding), shapes
    )


def _row_of(devices: Sequence[jax.Device]) -> Mesh:
    return Mesh(np.array(devices), (BATCH_AXIS,))


def _split(mesh: Mesh) -> NamedSharding:
    """Of arrays `[batch, ...]`."""
    return NamedSharding(mesh, PartitionSpec(BATCH_AXIS))


def _whole(mesh: Mesh) -> NamedSharding:
    return NamedSharding(mesh, PartitionSpec())
