"""Clocks: which time each leaf is at, in training and along an integration."""

from collections.abc import Callable

import jax

from symmflow_jax.flow.leaves import Leaves

Clock = Callable[[jax.Array], Leaves]
"""A curve through the unit square: a scalar s in [0, 1] to the time of each leaf."""

Velocity = Callable[[Leaves, Leaves], Leaves]
"""`velocity(state, times)`: the velocity of each leaf, shaped as the state."""

Dynamics = Callable[[Leaves, jax.Array], Leaves]
"""`dynamics(state, s)`: the derivative of the state by the curve parameter s."""


def tied_clock(s: jax.Array) -> Leaves:
    """Both leaves at the same time, as in the paper: the diagonal of the unit square."""
    return Leaves(image=s, semantics=s)


def sample_tied_times(key: jax.Array, share_at_one: float = 0.0) -> Leaves:
    """One time shared by both leaves: `t ~ U(0, 1)` (arXiv 2506.10634, algorithm 1), or 1.

    Args:
        key: random key.
        share_at_one: probability of t = 1, where recognition starts. There alone the image is
            all that tells of the semantics: at a time of 0.9 the noise over many pixels of a
            class label averages out, and its code can be read off.
    """
    u = jax.random.uniform(key)
    stretched = (u - share_at_one) / (1.0 - share_at_one)
    return tied_clock(jax.numpy.where(u < share_at_one, 1.0, stretched))


def along(clock: Clock, velocity: Velocity) -> Dynamics:
    """The ordinary differential equation of the state along a clock, by the chain rule."""

    def dynamics(state: Leaves, s: jax.Array) -> Leaves:
        times, rates = jax.jvp(clock, (s,), (jax.numpy.ones_like(s),))
        return jax.tree.map(jax.numpy.multiply, velocity(state, times), rates)

    return dynamics
