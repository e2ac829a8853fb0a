"""Explicit Runge-Kutta methods by their tableaus."""

import dataclasses
from typing import ClassVar

import jax

from symmflow_jax.flow.clocks import Dynamics, State
from symmflow_jax.flow.moment import Moment
from symmflow_jax.flow.shapes import Scalar


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

    takes_spans: ClassVar[bool] = False

    def step(self, dynamics: Dynamics, state: State, moment: Moment, size: Scalar) -> State:
        """Advances `state` from `moment` by `size`, which may be negative."""
        slopes = [dynamics(state, moment)]
        for node, weights in zip(self.nodes[1:], self.stages, strict=True):
            point = _advance(state, slopes, weights, size)
            slopes.append(dynamics(point, moment._replace(s=moment.s + node * size)))
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
RK4_THREE_EIGHTHS = RungeKutta(
    4,
    (0.0, 1 / 3, 2 / 3, 1.0),
    ((1 / 3,), (-1 / 3, 1.0), (1.0, -1.0, 1.0)),
    (1 / 8, 3 / 8, 3 / 8, 1 / 8),
)
"""Kutta's second method of order 4, which torchdiffeq calls "rk4"."""


def _advance(state: State, slopes: list[State], weights: tuple[float, ...], size: Scalar) -> State:
    """`state + size * sum(weights * slopes)`, leaving out the slopes of weight zero."""
    for weight, slope in zip(weights, slopes, strict=True):
        if weight:
            state = jax.tree.map(lambda x, v, w=weight: x + (w * size) * v, state, slope)
    return state
