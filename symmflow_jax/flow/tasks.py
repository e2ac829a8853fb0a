"""The tasks of a symmetric flow as integrations of its joint state."""

import jax

from symmflow_jax.flow.clocks import Velocity, along, tied_clock
from symmflow_jax.flow.leaves import Leaves
from symmflow_jax.flow.solvers import Solution, Solve


def synthesize(
    velocity: Velocity, semantics: jax.Array, image_noise: jax.Array, solve: Solve
) -> Solution:
    """From t=0, clean semantics and a noise image, to t=1: read `state.image`.

    Args:
        velocity: the network with its parameters bound.
        semantics: continuous semantics, float `[batch, ...]`.
        image_noise: standard normal, shaped as the images to make.
        solve: the solver.
    """
    dynamics = along(tied_clock, velocity)
    return solve(dynamics, Leaves(image_noise, semantics), 0.0, 1.0)


def recognize(
    velocity: Velocity, image: jax.Array, semantics_noise: jax.Array, solve: Solve
) -> Solution:
    """From t=1, a clean image and noise semantics, to t=0: read `state.semantics`.

    Segmentation and classification are both this; they differ in the decoder.

    Args:
        velocity: the network with its parameters bound.
        image: continuous images, float `[batch, ...]`.
        semantics_noise: standard normal, shaped as the semantics.
        solve: the solver.
    """
    dynamics = along(tied_clock, velocity)
    return solve(dynamics, Leaves(image, semantics_noise), 1.0, 0.0)
