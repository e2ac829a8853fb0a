"""What a solver is."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import jax

from symmflow_jax.flow.clocks import Dynamics
from symmflow_jax.flow.state import JointState


class Solution(NamedTuple):
    """The state at the end and what it cost.

    Attributes:
        state: the joint state at the end time, shaped as the initial one.
        nfe: network passes for each sample, `[batch]`.
    """

    state: JointState
    nfe: jax.Array


AfterStep = Callable[[JointState, jax.Array], JointState]
"""`after_step(state, s)`: the state to go on from after the step that ended at s.

Known pixels are put back, or a sample is corrected, in such hooks."""


def keep_state(state: JointState, s: jax.Array) -> JointState:
    """The state as the step left it: no hook."""
    del s
    return state


class Solve(Protocol):
    """A solver; a frozen dataclass, so that it can be a static argument."""

    def __call__(
        self,
        dynamics: Dynamics,
        state: JointState,
        start: float,
        end: float,
        after_step: AfterStep = keep_state,
    ) -> Solution:
        """Integrates from `start` to `end`, either way.

        Args:
            dynamics: the derivative of the state by s.
            state: where to begin, arrays `[batch, ...]`.
            start, end: values of s.
            after_step: changes the state after each step.

        Raises:
            ValueError: if there is a hook but the solver's steps cannot be hooked into.
        """
