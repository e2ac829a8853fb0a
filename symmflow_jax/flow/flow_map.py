"""Flow maps: jumps over a span of time, instead of steps along the velocity.

The map from time t to t + d moves a point x of a trajectory to `x + d u(x, t, d)`, where u is the
average velocity over the span d (Geng et al. 2025, arXiv 2505.13447). Along a trajectory the point
at which the jump ends does not change. So the derivative by t at a fixed end is zero, which gives
the identity

    u(x, t, d) = v(x, t) + d Du,    Du = (v grad_x + d/dt - d/dd) u,

with the velocity v. It holds for all spans if and only if u is the map of the flow of v.
"""

import dataclasses
from collections.abc import Callable
from typing import ClassVar

import jax
import jax.numpy as jnp

from symmflow_jax.flow.clocks import Dynamics, State
from symmflow_jax.flow.moment import Moment
from symmflow_jax.flow.shapes import Component, PerExample, Scalar

AverageVelocity = Callable[[Component, PerExample, PerExample], Component]
"""`u(x, t, d)`: the average velocity from x at the time t over the span d, shaped as x."""


@dataclasses.dataclass(frozen=True)
class MapStep:
    """A step of a solver that is one jump of a flow map: exact if the map is, however long.

    It has the interface of `RungeKutta`, but its dynamics take the span as a third argument.
    """

    weights: ClassVar[tuple[float, ...]] = (1.0,)
    takes_spans: ClassVar[bool] = True

    def step(self, dynamics: Dynamics, state: State, moment: Moment, size: Scalar) -> State:
        """Moves `state` from `moment` by `size` along its average velocity."""
        average = dynamics(state, moment, size)
        return jax.tree.map(lambda x, u: x + size * u, state, average)


FLOW_MAP = MapStep()
"""The jump of a flow map."""


def derivative_along(
    average_velocity: AverageVelocity,
    point: Component,
    t: PerExample,
    span: PerExample,
    velocity: Component,
) -> Component:
    """Du: the derivative of the average velocity by t along a trajectory, up to a fixed end.

    Args:
        average_velocity: u; it must have tangents (forward mode).
        point: float32 `[batch, ...]` at t.
        t: float32 `[batch]`.
        span: float32 `[batch]`, from t to the end.
        velocity: float32 `[batch, ...]`, the velocity at the point.
    """
    tangents = (velocity, jnp.ones_like(t), -jnp.ones_like(span))
    return jax.jvp(average_velocity, (point, t, span), tangents)[1]


def velocity_of_map(average: Component, derivative: Component, span: PerExample) -> Component:
    """The velocity `u - d Du` whose flow map has the average velocity u, by the identity.

    Args:
        average: u, float `[batch, ...]`.
        derivative: Du, from `derivative_along`.
        span: d, float `[batch]`.
    """
    return average - jnp.reshape(span, span.shape + (1,) * (average.ndim - 1)) * derivative


def adaptive_weight(error: PerExample, constant: float = 0.01) -> PerExample:
    """`1 / (error + constant)`, without a gradient (arXiv 2505.13447, section 4.3).

    Long jumps have errors of another size than short ones; so weighted, each counts about 1.
    """
    return 1.0 / (jax.lax.stop_gradient(error) + constant)
