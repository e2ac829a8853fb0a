"""The tasks of a symmetric flow as integrations of its joint state."""

from collections.abc import Callable

import jax

from symmflow_jax.flow.clocks import Clock, Velocity, along, tied_clock
from symmflow_jax.flow.solvers.solver import Solution, Solve, keep_state
from symmflow_jax.flow.state import JointState

StateHook = Callable[[JointState, JointState], JointState]
"""`hook(state, times)`: the state to go on from after a step that ended at these times."""


def synthesize(
    velocity: Velocity,
    semantics: jax.Array,
    image_noise: jax.Array,
    solve: Solve,
    clock: Clock = tied_clock,
    after_step: StateHook | None = None,
) -> Solution:
    """From s=0, clean semantics and a noise image, to s=1: read `state.image`.

    Args:
        velocity: the network with its parameters bound.
        semantics: continuous semantics, float `[batch, ...]`.
        image_noise: standard normal, shaped as the images to make.
        solve: the solver.
        clock: `tied_clock` (the paper's) or `clean_semantics`.
        after_step: changes the state after each step.
    """
    state = JointState(image_noise, semantics)
    return sample(velocity, state, solve, clock, 0.0, 1.0, after_step)


def predict_semantics(
    velocity: Velocity,
    image: jax.Array,
    semantics_noise: jax.Array,
    solve: Solve,
    clock: Clock = tied_clock,
    after_step: StateHook | None = None,
) -> Solution:
    """From s=1, a clean image and noise semantics, to s=0: read `state.semantics`.

    Segmentation and classification are both this; they differ in the decoder.

    Args:
        velocity: the network with its parameters bound.
        image: continuous images, float `[batch, ...]`.
        semantics_noise: standard normal, shaped as the semantics.
        solve: the solver.
        clock: `tied_clock` (the paper's) or `clean_image`.
        after_step: changes the state after each step.
    """
    state = JointState(image, semantics_noise)
    return sample(velocity, state, solve, clock, 1.0, 0.0, after_step)


def sample(
    velocity: Velocity,
    state: JointState,
    solve: Solve,
    clock: Clock,
    start: float,
    end: float,
    after_step: StateHook | None = None,
) -> Solution:
    """The joint state at the end of an integration along a clock.

    Args:
        velocity: the network with its parameters bound.
        state: where to begin, float arrays `[batch, ...]`; noise for what is to be made.
        solve: the solver.
        clock: the times of both components by s. From noise alone: `noise_semantics` (from 0 to
            1: images), `noise_image` (from 1 to 0: semantics) or `opposed_clock` (from 0 to 1:
            pairs); what is held at noise is no result.
        start, end: where on the clock to begin and to end.
        after_step: changes the state after each step.
    """

    def hook(state: JointState, s: jax.Array) -> JointState:
        return state if after_step is None else after_step(state, clock(s))

    return solve(
        along(clock, velocity), state, start, end, keep_state if after_step is None else hook
    )
