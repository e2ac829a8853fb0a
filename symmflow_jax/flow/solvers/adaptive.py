"""An adaptive solver: Dormand-Prince 5(4), from diffrax."""

import dataclasses
import math
from typing import Any, ClassVar

import diffrax
import jax
import jax.numpy as jnp

from symmflow_jax.flow.clocks import Dynamics, State
from symmflow_jax.flow.moment import Moment
from symmflow_jax.flow.shapes import Scalar
from symmflow_jax.flow.solvers.solver import AfterStep, Solution, keep_state

_STAGES = 6  # The seventh slope of a step is the first of the next one.


@dataclasses.dataclass(frozen=True)
class DormandPrince:
    """A solver that chooses its steps for each sample so that the local error stays small.

    Each sample has its own steps, so that its result does not depend on its batch.

    The error of a step is that of its worst part: the largest root mean square over the arrays of
    the state. So a part that does not move, such as a clean component, loosens no bound.

    Attributes:
        tolerance: relative and absolute bound of the local error.
        max_steps: most steps of a sample. If it needs more, its state becomes NaN.
    """

    tolerance: float
    max_steps: int = 1024

    takes_spans: ClassVar[bool] = False

    def __post_init__(self):
        if not 0 < self.tolerance < math.inf:
            raise ValueError(
                f"tolerance is {self.tolerance}; it must be positive and finite, such as 1e-3."
            )

    def __call__(
        self,
        dynamics: Dynamics,
        state: State,
        start: float,
        end: float,
        after_step: AfterStep = keep_state,
    ) -> Solution:
        """Integrates from `start` to `end`, either way; see `Solve`.

        Raises:
            ValueError: if there is a hook, since every sample has its own steps.
        """
        if after_step is not keep_state:
            raise ValueError(
                "An adaptive solver has no steps to do something after; choose one of fixed steps, "
                "such as 'heun'."
            )
        return jax.vmap(lambda sample: self._solve_sample(dynamics, sample, start, end))(state)

    def _solve_sample(
        self, dynamics: Dynamics, sample: State, start: float, end: float
    ) -> Solution:
        def slope(time: Any, sample: State, args: None) -> State:
            del args
            batch = jax.tree.map(lambda leaf: leaf[None], sample)
            return jax.tree.map(lambda leaf: leaf[0], dynamics(batch, Moment(jnp.asarray(time))))

        result = diffrax.diffeqsolve(
            diffrax.ODETerm(slope),
            diffrax.Dopri5(),
            t0=start,
            t1=end,
            dt0=None,
            y0=sample,
            stepsize_controller=diffrax.PIDController(
                rtol=self.tolerance, atol=self.tolerance, norm=_worst_part
            ),
            max_steps=self.max_steps,
            throw=False,
        )
        reached = result.result == diffrax.RESULTS.successful
        final = jax.tree.map(lambda leaf: jnp.where(reached, leaf[0], jnp.nan), result.ys)
        return Solution(final, 1 + _STAGES * result.stats["num_steps"])


def _worst_part(errors: State) -> Scalar:
    """The largest root mean square of the arrays of a tree."""
    return jnp.max(
        jnp.stack([jnp.sqrt(jnp.mean(jnp.square(leaf))) for leaf in jax.tree.leaves(errors)])
    )
