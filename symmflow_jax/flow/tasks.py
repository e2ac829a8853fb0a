"""The tasks of a symmetric flow as integrations of its joint state."""

import jax

from symmflow_jax.flow.clocks import Clock, Velocity, along, tied_clock
from symmflow_jax.flow.solvers import Solution, Solve
from symmflow_jax.flow.state import JointState


def synthesize(
    velocity: Velocity,
    semantics: jax.Array,
    image_noise: jax.Array,
    solve: Solve,
    clock: Clock = tied_clock,
) -> Solution:
    """From s=0, clean semantics and a noise image, to s=1: read `state.image`.

    Args:
        velocity: the network with its parameters bound.
        semantics: continuous semantics, float `[batch, ...]`.
        image_noise: standard normal, shaped as the images to make.
        solve: the solver.
        clock: `tied_clock` (the paper's) or `held_semantics`.
    """
    dynamics = along(clock, velocity)
    return solve(dynamics, JointState(image_noise, semantics), 0.0, 1.0)


def recognize(
    velocity: Velocity,
    image: jax.Array,
    semantics_noise: jax.Array,
    solve: Solve,
    clock: Clock = tied_clock,
) -> Solution:
    """From s=1, a clean image and noise semantics, to s=0: read `state.semantics`.

    Segmentation and classification are both this; they differ in the decoder.

    Args:
        velocity: the network with its parameters bound.
        image: continuous images, float `[batch, ...]`.
        semantics_noise: standard normal, shaped as the semantics.
        solve: the solver.
        clock: `tied_clock` (the paper's) or `held_image`.
    """
    dynamics = along(clock, velocity)
    return solve(dynamics, JointState(image, semantics_noise), 1.0, 0.0)


def sample(
    velocity: Velocity, noise: JointState, solve: Solve, clock: Clock, start: float, end: float
) -> Solution:
    """Images, semantics or pairs of both, from noise alone.

    Args:
        velocity: the network with its parameters bound.
        noise: standard normal arrays `[batch, ...]`.
        solve: the solver.
        clock: `noise_semantics` (from 0 to 1: images), `noise_image` (from 1 to 0: semantics)
            or `opposed_clock` (from 0 to 1: pairs); what is held at noise is no result.
        start, end: where on the clock to begin and to end.
    """
    return solve(along(clock, velocity), noise, start, end)
