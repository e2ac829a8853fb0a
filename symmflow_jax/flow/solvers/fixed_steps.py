"""Solvers with a static number of steps."""

import dataclasses
import itertools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from symmflow_jax.flow.clocks import Dynamics, State
from symmflow_jax.flow.flow_map import FLOW_MAP, MapStep
from symmflow_jax.flow.moment import Moment
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

_Index = Int[Array, ""]


@dataclasses.dataclass(frozen=True)
class FixedSteps:
    """A solver of fixed steps, compiled as one `lax.scan` for any number of them.

    Attributes:
        method: the Runge-Kutta method of each step, or the jump of a flow map.
        grid: the number of equal steps, at least one; or the ends of steps of other lengths, as
            fractions of the interval that rise from 0 to 1.
    """

    method: RungeKutta | MapStep
    grid: int | tuple[float, ...]

    def __post_init__(self):
        if isinstance(self.grid, tuple):
            rises = all(first < second for first, second in itertools.pairwise(self.grid))
            if len(self.grid) < 2 or not rises or (self.grid[0], self.grid[-1]) != (0.0, 1.0):
                raise ValueError(
                    f"The grid of a solver is {self.grid}; give fractions that rise from 0 to 1, "
                    "such as (0.0, 0.25, 1.0), or a number of equal steps."
                )
        elif not self.grid >= 1:
            raise ValueError(f"num_steps is {self.grid}; a solver takes at least one step.")

    @property
    def num_steps(self) -> int:
        """How many steps."""
        return len(self.grid) - 1 if isinstance(self.grid, tuple) else self.grid

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
        step_of = self._steps(start, end)

        def advance(state: State, numbers: tuple[Scalar, _Index]) -> tuple[State, None]:
            number, index = numbers
            step = step_of(number, index)
            state = self.method.step(dynamics, state, Moment(step.start, index), step.size)
            return after_step(state, Moment(step.end, index)), None

        # As floats too, because a conversion in the loop would round the times in another way.
        numbers = jnp.arange(self.num_steps, dtype=jnp.float32)
        indices = jnp.arange(self.num_steps, dtype=jnp.int32)
        state, _ = jax.lax.scan(advance, state, (numbers, indices))
        batch = jax.tree.leaves(state)[0].shape[0]
        return Solution(state, jnp.full(batch, self.nfe, jnp.int32))

    def times(self, start: float, end: float) -> Float[Array, " times"]:
        """The ends of all steps from `start` to `end`, float32 `[num_steps + 1]`."""
        fractions = self.grid if isinstance(self.grid, tuple) else np.linspace(0, 1, self.grid + 1)
        return jnp.asarray(start + (end - start) * np.asarray(fractions), jnp.float32)

    def _steps(self, start: float, end: float) -> Callable[[Scalar, _Index], "_Step"]:
        """A function from the number of a step to its times, from `start` to `end`."""
        if isinstance(self.grid, tuple):
            times = self.times(start, end)
            sizes = jnp.asarray((end - start) * np.diff(self.grid), jnp.float32)
            return lambda _, index: _Step(times[index], sizes[index], times[index + 1])
        # A constant of the program, which rounds as it always has.
        size = jnp.float32((end - start) / self.grid)

        def equal_step(number: Scalar, index: _Index) -> _Step:
            del index
            return _Step(start + number * size, size, start + (number + 1.0) * size)

        return equal_step


class _Step(NamedTuple):
    """The times of a step."""

    start: Scalar
    size: Scalar
    end: Scalar


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
