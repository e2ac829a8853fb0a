"""Clocks: curves through the unit square of the two components' times, for integration."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from symmflow_jax.flow.moment import Moment
from symmflow_jax.flow.shapes import Scalar
from symmflow_jax.flow.state import JointState

Clock = Callable[[Scalar], JointState]
"""A curve through the unit square: a scalar s in [0, 1] to the time of each component."""

Velocity = Callable[..., JointState]
"""`velocity(state, times)`: the velocity of each component, shaped as the state.

That of a flow map also takes a span: `velocity(state, times, span)` is the average velocity over
it, beside a component that does not move."""

State = Any
"""What a solver integrates: any pytree of float arrays `[batch, ...]`, such as a `JointState`."""

Dynamics = Callable[..., State]
"""`dynamics(state, moment)`: the derivative of the state by the curve parameter s of a `Moment`.

That of a flow map also takes a span: `dynamics(state, moment, span)` is its average over it."""


def tied_clock(s: Scalar) -> JointState:
    """Both components at the same time s: the diagonal, as in arXiv 2506.10634."""
    return JointState(image=s, semantics=s)


def clean_image(s: Scalar) -> JointState:
    """A clean image, t_x = 1, while the semantics go from noise at s = 1 to clean at s = 0."""
    return JointState(image=jnp.ones_like(s), semantics=s)


def clean_semantics(s: Scalar) -> JointState:
    """Clean semantics, t_y = 0, while the image goes from noise at s = 0 to clean at s = 1."""
    return JointState(image=s, semantics=jnp.zeros_like(s))


def noise_semantics(s: Scalar) -> JointState:
    """Semantics of pure noise, t_y = 1, which carry no information; the image moves with s."""
    return JointState(image=s, semantics=jnp.ones_like(s))


def noise_image(s: Scalar) -> JointState:
    """An image of pure noise, t_x = 0, which carries no information; the semantics move with s."""
    return JointState(image=jnp.zeros_like(s), semantics=s)


def opposed_clock(s: Scalar) -> JointState:
    """Both components from noise at s = 0 to clean at s = 1: the other diagonal of the square."""
    return JointState(image=s, semantics=1.0 - s)


def along(clock: Clock, velocity: Velocity) -> Dynamics:
    """The ordinary differential equation of the state along a clock, by the chain rule."""

    def dynamics(state: JointState, moment: Moment, *span: Scalar) -> JointState:
        times, rates = jax.jvp(clock, (moment.s,), (jnp.ones_like(moment.s),))
        return jax.tree.map(jnp.multiply, velocity(state, times, *span), rates)

    return dynamics
