"""Solvers with a static number of equal steps."""

import dataclasses

import jax
import jax.numpy as jnp

from symmflow_jax.flow.clocks import Dynamics, State
from symmflow_jax.flow.flow_map import FLOW_MAP, MapStep
from symmflow_jax.flow.shapes import Scalar
from symmflow_jax.flow.solvers.runge_kutta import (
    EULER,
    HEUN,
    MIDPOINT,
    RK4,
    RK4_THREE_EIGHTHS,
    RungeKutta,
)
from symmflow_jax.flow.solvers.solver import AfterStep, Solution, keep_state


@dataclasses.dataclass(frozen=True)
class FixedSteps:
    """A solver of equal steps, compiled as one `lax.scan` for any number of them.

    Attributes:
        method: the Runge-Kutta method of each step, or the jump of a flow map.
        num_steps: how many steps, at least one.
    """

    method: RungeKutta | MapStep
    num_steps: int

    def __post_init__(self):
        if not self.num_steps >= 1:
            raise ValueError(f"num_steps is {self.num_steps}; a solver takes at least one step.")

    @property
    def takes_spans(self) -> bool:
        """True if its dynamics must take spans: it needs a flow map."""
        return self.method.takes_spans

    @property
    def nfe(self) -> int:
        """Network passes for each sample."""
        return self.num_steps * len(self.method.weights)

    def __call__(
        self,
        dynamics: Dynamics,
        state: State,
        start: float,
        end: float,
        after_step: AfterStep = keep_state,
    ) -> Solution:
        """Integrates from `start` to `end`, either way; see `Solve`."""
        size = jnp.float32((end - start) / self.num_steps)

        def advance(state: State, index: Scalar) -> tuple[State, None]:
            state = self.method.step(dynamics, state, start + index * size, size)
            return after_step(state, start + (index + 1.0) * size), None

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


def rk4_three_eighths(num_steps: int) -> FixedSteps:
    """The 3/8 rule of order 4 in equal steps."""
    return FixedSteps(RK4_THREE_EIGHTHS, num_steps)


def flow_map(num_steps: int) -> FixedSteps:
    """Equal jumps of a flow map."""
    return FixedSteps(FLOW_MAP, num_steps)
