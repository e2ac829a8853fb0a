"""Interface of the ways to distribute training over devices."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import jax
import numpy as np

from symmflow_jax.data.batch import Batch
from symmflow_jax.training.train_step import TrainStep


class Parallelism(Protocol):
    """Placement of the training state and batches, and compilation of the train step.

    Results do not depend on the choice, because every example has its own random key. A
    constructor takes the devices of all processes.
    """

    def create(self, function: Callable[[jax.Array], Any], key: jax.Array) -> Any:
        """The placed result of a function of a key, such as the initial state."""

    def targets(self, shapes: Any) -> Any:
        """Targets for restoring a checkpoint of these shapes; see `checkpoints`."""

    def place(self, tree: Any) -> Any:
        """Places restored arrays, or other host arrays, for the step."""

    def place_batch(self, batch: Batch) -> Batch:
        """Places this process's part of a batch for the step."""

    def arguments(self, state: Any, frozen: Any, batch: Batch) -> tuple[Any, ...]:
        """Shapes of the placed arguments of the step, to compile it without arrays.

        Args:
            state: shapes of a state.
            frozen: shapes of the weights that no step changes, or None.
            batch: shapes of a whole batch.
        """

    def compile(self, make_step: Callable[..., TrainStep]) -> jax.stages.Wrapped:
        """Compiles a train step over all devices; it donates the buffers of the old state.

        The new state is placed like the old one.

        Args:
            make_step: `make_train_step` without the arguments of the distribution, `axis_name`
                and `distribute`.
        """

    def fetch(self, tree: Any) -> Any:
        """Copies a placed tree for saving, so that later steps do not change it."""

    def read(self, metrics: Sequence[dict[str, jax.Array]]) -> list[dict[str, np.ndarray]]:
        """The metrics of several steps as NumPy scalars; blocks until the steps end."""

    def for_inference(self, params: Any) -> Any:
        """Places fetched or restored parameters on this process's devices, for `jax.jit`."""

    def inference_arguments(self, params: Any, batch: Batch) -> tuple[Any, Batch]:
        """Shapes of parameters from `for_inference` and of a batch on the same devices."""
