"""What a way of sharing a training among devices is."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import jax
import numpy as np

from symmflow_jax.data.batch import Batch
from symmflow_jax.training.train_step import TrainStep


class Parallelism(Protocol):
    """Where the state and the batches of a training are, and how its step is compiled.

    The numbers that come out do not depend on it: every example has its own random key. A
    constructor takes the devices of all processes.
    """

    def create(self, function: Callable[[jax.Array], Any], key: jax.Array) -> Any:
        """The placed result of a function of a key, such as the first state."""

    def targets(self, shapes: Any) -> Any:
        """What a checkpoint of these shapes is restored into, see `checkpoints`."""

    def place(self, tree: Any) -> Any:
        """Puts what was restored, or other host arrays, where the step wants it."""

    def place_batch(self, batch: Batch) -> Batch:
        """Puts this process's part of a batch where the step wants it."""

    def arguments(self, state: Any, codec_weights: Any, batch: Batch) -> tuple[Any, ...]:
        """Shapes of the step's arguments as placed, to compile it without arrays.

        Args:
            state: shapes of a state.
            codec_weights: shapes of the codec's weights, or None.
            batch: shapes of a whole batch.
        """

    def compile(self, make_step: Callable[..., TrainStep]) -> jax.stages.Wrapped:
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

    def inference_arguments(self, params: Any, batch: Batch) -> tuple[Any, Batch]:
        """Shapes of parameters `for_inference` and of a batch over the same devices."""
