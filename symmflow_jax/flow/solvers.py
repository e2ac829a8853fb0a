"""Explicit Runge-Kutta solvers with a static number of steps."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from symmflow_jax.flow.clocks import Dynamics
from symmflow_jax.flow.state import JointState


class Solution(NamedTuple):
    """The state at the end and what it cost.

    Attributes:
        state: the joint state at the end time, shaped as the initial one.
        nfe: network passes for each sample, `[batch]`.
    """

    state: JointState
    nfe: jax.Array


Solve = Callable[[Dynamics, JointState, float, float], Solution]
"""`solve(dynamics, state, start, end)`: integrates from `start` to `end`, either way.

The solvers of this project are frozen dataclasses, so that they can be static arguments."""


@dataclasses.dataclass(frozen=True)
class RungeKutta:
    """An explicit Runge-Kutta method by its Butcher tableau.

    Attributes:
        order: the global error falls as the step to this power.
        nodes: the time of each stage, in units of the step.
        stages: for each stage after the first, the weights of the slopes before it.
        weights: the weights of all slopes in the step.
    """

    order: int
    nodes: tuple[float, ...]
    stages: tuple[tuple[float, ...], ...]
    weights: tuple[float, ...]

    def step(
        self, dynamics: Dynamics, state: JointState, time: jax.Array, size: jax.Array
    ) -> JointState:
        """Advances `state` from `time` by `size`, which may be negative."""
        slopes = [dynamics(state, time)]
        for node, weights in zip(self.nodes[1:], self.stages, strict=True):
            point = _advance(state, slopes, weights, size)
            slopes.append(dynamics(point, time + node * size))
        return _advance(state, slopes, self.weights, size)


EULER = RungeKutta(1, (0.0,), (), (1.0,))
MIDPOINT = RungeKutta(2, (0.0, 0.5), ((0.5,),), (0.0, 1.0))
HEUN = RungeKutta(2, (0.0, 1.0), ((1.0,),), (0.5, 0.5))
RK4 = RungeKutta(
    4,
    (0.0, 0.5, 0.5, 1.0),
    ((0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)),
    (1 / 6, 1 / 3, 1 / 3, 1 / 6),
)


@dataclasses.dataclass(frozen=True)
class FixedSteps:
    """A solver of equal steps, one `lax.scan` whatever their number.

    Attributes:
        method: the Runge-Kutta method of each step.
        num_steps: how many steps, at least one.
    """

    method: RungeKutta
    num_steps: int

    def __post_init__(self):
        if self.num_steps < 1:
            raise ValueError(f"num_steps is {self.num_steps}; a solver takes at least one step.")

    @property
    def nfe(self) -> int:
        """Network passes for each sample."""
        return self.num_steps * len(self.method.weights)

    def __call__(self, dynamics: Dynamics, state: JointState, start: float, end: float) -> Solution:
        """Integrates from `start` to `end`, either way."""
        size = jnp.float32((end - start) / self.num_steps)

        def advance(state: JointState, index: jax.Array) -> tuple[JointState, None]:
            return self.method.step(dynamics, state, start + index * size, size), None

        indices = jnp.arange(self.num_steps, dtype=jnp.float32)
        state, _ = jax.lax.scan(advance, state, indices)
        batch = jax.tree.leaves(state)[0].shape[0]
        return Solution(state, jnp.full(batch, self.nfe, jnp.int32))


def euler(num_steps: int) -> FixedSteps:
    """Euler's method in equal steps."""
    return FixedSteps(EULER, num_steps)


def midpoint(num_steps: int) -> FixedSteps:
    """The midpoint method in equal steps."""
    return FixedSteps(MIDPOINT, num_steps)


def heun(num_steps: int) -> FixedSteps:
    """Heun's method in equal steps."""
    return FixedSteps(HEUN, num_steps)


def rk4(num_steps: int) -> FixedSteps:
    """The classical Runge-Kutta method in equal steps."""
    return FixedSteps(RK4, num_steps)


def _advance(
    state: JointState, slopes: list[JointState], weights: tuple[float, ...], size: jax.Array
) -> JointState:
    """`state + size * sum(weights * slopes)`, leaving out the slopes of weight zero."""
    for weight, slope in zip(weights, slopes, strict=True):
        if weight:
            state = jax.tree.map(lambda x, v, w=weight: x + (w * size) * v, state, slope)
    return state
