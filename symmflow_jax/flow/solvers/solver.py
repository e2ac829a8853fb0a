"""The interface of solvers."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from jaxtyping import Array, Int

from symmflow_jax.flow.clocks import Dynamics, State
from symmflow_jax.flow.moment import Moment


class Solution(NamedTuple):
    """The state at the end, and its cost.

    Attributes:
        state: the state at the end time, shaped as the initial one.
        nfe: network passes for each sample, `[batch]`.
    """

    state: State
    nfe: Int[Array, " batch"]


AfterStep = Callable[[State, Moment], State]
"""`after_step(state, moment)`: the state for the next step, after a step that ended.

The moment has the s at which the step ended, and the number of this step. Such a hook can restore
known pixels or correct a sample.
"""


def keep_state(state: State, moment: Moment) -> State:
    """Returns the state without any change: no hook."""
    del moment
    return state


class Solve(Protocol):
    """A solver; a frozen dataclass, so that it can be a static argument."""

    @property
    def takes_spans(self) -> bool:
        """True if its dynamics must take spans: it needs a flow map."""

    def __call__(
        self,
        dynamics: Dynamics,
        state: State,
        start: float,
        end: float,
        after_step: AfterStep = keep_state,
    ) -> Solution:
        """Integrates from `start` to `end`, either way.

        Args:
            dynamics: the derivative of the state by s at a `Moment`.
            state: the initial state, float arrays `[batch, ...]`.
            start, end: the first and the last s, in [0, 1].
            after_step: changes the state after each step.

        Raises:
            ValueError: if there is a hook but the solver takes none.
        """
