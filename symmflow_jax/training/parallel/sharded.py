"""The jitted train step over a mesh, with a given sharding."""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from symmflow_jax.data.batch import Batch
from symmflow_jax.methods.weights import Weights
from symmflow_jax.runtime.compilation import jit_once
from symmflow_jax.runtime.processes import BATCH_AXIS
from symmflow_jax.training.parallel.collectives import gather, scatter_stages, scattered_mean
from symmflow_jax.training.parallel.sharding import (
    DATA_AXES,
    Sharding,
    key_shape,
    slices,
    with_sharding,
)
from symmflow_jax.training.train_step import Gradient, TrainStep


def fully_sharded(devices: tuple[jax.Device, ...]) -> "Sharded":
    """Full sharding: every device holds parts of parameters, average and optimizer state.

    The parts are split among the devices of a slice; several TPU slices hold the same.
    """
    groups = slices(devices)
    return Sharded(Sharding(tuple(itertools.chain(*groups)), num_slices=len(groups)))


@dataclasses.dataclass(frozen=True)
class Sharded:
    """Sharded data parallelism: each device holds its part of the state and of the batch.

    The step gathers the parameters and scatters the gradient. Fetched arrays stay on the
    devices. The methods are those of `Parallelism`.

    Attributes:
        sharding: sharding of arrays over the devices of all processes.
    """

    sharding: Sharding

    def create(self, function: Callable[[jax.Array], Any], key: jax.Array) -> Any:
        """The result, computed with its sharding."""
        shardings = self.sharding.shardings(jax.eval_shape(function, key))
        return jit_once(function, out_shardings=shardings)(key)

    def targets(self, shapes: Any) -> Any:
        """The shapes with their shardings."""
        return jax.tree.map(with_sharding, shapes, self.sharding.shardings(shapes))

    def place(self, tree: Any) -> Any:
        """The arrays with their shardings."""
        return jax.device_put(tree, self.sharding.shardings(tree))

    def place_batch(self, batch: Batch) -> Batch:
        """The batch of all processes, split over all devices."""
        return jax.make_array_from_process_local_data(self.sharding.of_batch, batch)

    def arguments(self, state: Any, frozen: Any, batch: Batch) -> tuple[Any, ...]:
        """Shapes with their shardings."""
        return (
            self.targets(state),
            self.targets(frozen),
            with_sharding(batch, self.sharding.of_batch),
            with_sharding(key_shape(), self.sharding.whole),
        )

    def compile(self, make_step: Callable[..., TrainStep]) -> jax.stages.Wrapped:
        """The step under `jit`."""
        step = make_step(distribute=self._distribute)

        def placed_step(state: Any, frozen: Any, batch: Batch, key: jax.Array) -> Any:
            state, metrics = step(state, frozen, batch, key)
            state = jax.lax.with_sharding_constraint(state, self.sharding.shardings(state))
            return state, jax.lax.with_sharding_constraint(metrics, self.sharding.whole)

        return jax.jit(placed_step, donate_argnums=0)

    def fetch(self, tree: Any) -> Any:
        """The arrays themselves, because Orbax copies them before `save` returns."""
        return tree

    def read(self, metrics: Sequence[dict[str, jax.Array]]) -> list[dict[str, np.ndarray]]:
        """The metrics, which are replicated on every device."""
        return jax.device_get(list(metrics))

    def for_inference(self, params: Any) -> Any:
        """The parameters over the local devices; parts of other processes are transferred."""
        if all(array.is_fully_addressable for array in jax.tree.leaves(params)):
            return params
        own = self.sharding.local()
        devices = sorted(self.sharding.devices, key=lambda device: device.process_index)
        rows = np.array(devices).reshape(-1, len(own.devices))
        mesh = Mesh(rows, ("process", BATCH_AXIS))
        shardings = jax.tree.map(lambda array: NamedSharding(mesh, own.spec(array)), params)
        copies = jax.jit(lambda tree: tree, out_shardings=shardings)(params)
        return jax.tree.map(
            lambda array, sharding: jax.make_array_from_single_device_arrays(
                array.shape, sharding, [shard.data for shard in array.addressable_shards]
            ),
            copies,
            own.shardings(params),
        )

    def inference_arguments(self, params: Any, batch: Batch) -> tuple[Any, Batch]:
        """Shapes with their shardings over this process's devices."""
        own = Sharded(self.sharding.local())
        return own.targets(params), with_sharding(batch, own.sharding.of_batch)

    def _distribute(self, gradient: Gradient) -> Gradient:
        """A gradient function that returns each device's part of the mean over all devices.

        The collectives are explicit. The compiler would otherwise split the convolutions by
        channels, with several times the traffic and memory, and send the whole gradient to every
        device.
        """
        stages = scatter_stages(self.sharding.first_slice)

        def distributed(weights: Weights, batch: Batch, key: jax.Array) -> Any:
            specs = self.sharding.specs(weights)

            def on_a_device(weights: Weights, batch: Batch, key: jax.Array) -> Any:
                grads, metrics = gradient(jax.tree.map(gather, weights, specs), batch, key)
                mean = functools.partial(scattered_mean, stages=stages)
                grads = jax.tree.map(mean, grads, specs.network)
                return grads, jax.lax.pmean(metrics, DATA_AXES)

            return jax.shard_map(
                on_a_device,
                mesh=self.sharding.mesh,
                in_specs=(specs, PartitionSpec(DATA_AXES), PartitionSpec()),
                out_specs=(specs.network, PartitionSpec()),
                check_vma=False,
            )(weights, batch, key)

        return distributed
