"""Clocks: curves through the unit square of the two leaves' times, along which to integrate."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from symmflow_jax.flow.state import JointState

Clock = Callable[[jax.Array], JointState]
"""A curve through the unit square: a scalar s in [0, 1] to the time of each leaf."""

Velocity = Callable[[JointState, JointState], JointState]
"""`velocity(state, times)`: the velocity of each leaf, shaped as the state."""

Dynamics = Callable[[JointState, jax.Array], JointState]
"""`dynamics(state, s)`: the derivative of the state by the curve parameter s."""


def tied_clock(s: jax.Array) -> JointState:
    """Both leaves at the same time, as in the paper: the diagonal of the unit square."""
    return JointState(image=s, semantics=s)


def clean_image(s: jax.Array) -> JointState:
    """The image stays clean while semantics go from noise at s = 1 to clean at s = 0."""
    return JointState(image=jnp.ones_like(s), semantics=s)


def clean_semantics(s: jax.Array) -> JointState:
    """The semantics stay clean while the image goes from noise at s = 0 to clean at s = 1."""
    return JointState(image=s, semantics=jnp.zeros_like(s))


def noise_semantics(s: jax.Array) -> JointState:
    """The semantics stay pure noise, and so say nothing of the image, which goes on with s."""
    return JointState(image=s, semantics=jnp.ones_like(s))


def noise_image(s: jax.Array) -> JointState:
    """The image stays pure noise, and so says nothing of the semantics, which go on with s."""
    return JointState(image=jnp.zeros_like(s), semantics=s)


def opposed_clock(s: jax.Array) -> JointState:
    """Both from noise at s = 0 to clean at s = 1: the other diagonal of the unit square."""
    return JointState(image=s, semantics=1.0 - s)


def along(clock: Clock, velocity: Velocity) -> Dynamics:
    """The ordinary differential equation of the state along a clock, by the chain rule."""

    def dynamics(state: JointState, s: jax.Array) -> JointState:
        times, rates = jax.jvp(clock, (s,), (jnp.ones_like(s),))
        return jax.tree.map(jnp.multiply, velocity(state, times), rates)

    return dynamics
