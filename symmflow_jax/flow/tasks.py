"""The tasks of a symmetric flow as integrations of its joint state."""

from collections.abc import Callable

from symmflow_jax.flow.clocks import Clock, Velocity, along, tied_clock
from symmflow_jax.flow.moment import Moment
from symmflow_jax.flow.shapes import Image, Semantics
from symmflow_jax.flow.solvers.solver import Solution, Solve, keep_state
from symmflow_jax.flow.state import JointState

StateHook = Callable[[JointState, JointState], JointState]
"""`hook(state, times)`: the state to go on from after a step that ended at these times."""


def synthesize(
    velocity: Velocity,
    semantics: Semantics,
    image_noise: Image,
    solve: Solve,
    clock: Clock = tied_clock,
    after_step: StateHook | None = None,
) -> Solution:
    """Integrates from s = 0, clean semantics and a noise image, to s = 1: read `state.image`.

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
    image: Image,
    semantics_noise: Semantics,
    solve: Solve,
    clock: Clock = tied_clock,
    after_step: StateHook | None = None,
) -> Solution:
    """Integrates from s = 1, a clean image and noise semantics, to s = 0: read `state.semantics`.

    Segmentation and classification differ only in the decoder.

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
        state: the initial state, float arrays `[batch, ...]`; noise for the components to generate.
        solve: the solver.
        clock: the times of both components by s. For samples from noise alone, take
            `noise_semantics` from 0 to 1 (images), `noise_image` from 1 to 0 (semantics) or
            `opposed_clock` from 0 to 1 (pairs). A component that stays noise is no result.
        start, end: the first and the last s, in [0, 1].
        after_step: changes the state after each step.
    """

    def hook(state: JointState, moment: Moment) -> JointState:
        return state if after_step is None else after_step(state, clock(moment.s))

    return solve(
        along(clock, velocity), state, start, end, keep_state if after_step is None else hook
    )
