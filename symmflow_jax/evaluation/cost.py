"""What a model costs: its size, the work of a network pass, and the time of its training."""

import dataclasses
import json
import math
import pathlib
from typing import Any

import jax
import jax.numpy as jnp

from symmflow_jax.evaluation.evaluator import EvaluatedWeights
from symmflow_jax.flow.state import JointState
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.runtime.errors import first_line

COST = "cost.json"
"""Path of a model's cost in the folder of its report."""


@dataclasses.dataclass(frozen=True)
class Cost:
    """The cost of a model.

    Attributes:
        num_parameters: parameters of the network.
        flops_of_pass: floating-point operations of a network pass for one example, as XLA counts
            them before it optimizes; None if it does not count.
        train_steps: training steps of the weights.
        train_examples: training examples of all these steps.
        train_seconds: time of these steps, with compilation and reading, and without evaluations;
            None if a checkpoint of an earlier version does not tell it.
    """

    num_parameters: int
    flops_of_pass: float | None
    train_steps: int
    train_examples: int
    train_seconds: float | None = None

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain values for `read`."""
        return dataclasses.asdict(self)


def cost_of(method: SymmFlow, evaluated: EvaluatedWeights, batch_size: int) -> Cost:
    """The cost of evaluated weights.

    Args:
        method: their method.
        evaluated: the weights, their step and the time of their training.
        batch_size: examples of a training step.
    """
    shapes = jax.eval_shape(method.init, jax.random.key(0))
    return Cost(
        num_parameters=sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(shapes)),
        flops_of_pass=flops_of_pass(method),
        train_steps=evaluated.train_step,
        train_examples=evaluated.train_step * batch_size,
        train_seconds=evaluated.train_seconds,
    )


def flops_of_pass(method: SymmFlow) -> float | None:
    """Operations of a network pass for one example; None if the JAX backend does not count."""
    params = jax.eval_shape(method.init, jax.random.key(0))
    state = [jax.ShapeDtypeStruct((1, *shape), jnp.float32) for shape in method.codec.shapes]
    # Kernels are no operations that XLA can count.
    network = method.for_tangents.network

    def passed(params: Any, x_t: jax.Array, y_t: jax.Array) -> Any:
        zeros = jnp.zeros(1)
        times = method.network_times(JointState(zeros, zeros), zeros)
        return network.apply({"params": params}, x_t, y_t, times)

    with jax.default_device(jax.local_devices(backend="cpu")[0]):
        counted = jax.jit(passed).lower(params, *state).cost_analysis()
    return float(counted["flops"]) if counted and "flops" in counted else None


def read(folder: pathlib.Path) -> Cost | None:
    """The cost in the folder of a report; None if an earlier version has written none.

    Raises:
        ValueError: if the file is damaged.
    """
    path = folder / COST
    if not path.is_file():
        return None
    try:
        return Cost(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(
            f"{path} is damaged ({first_line(error)}); write it again with --mode=evaluate."
        ) from error
