"""Moments of an integration: where it is, and in which of its steps."""

from typing import NamedTuple

from jaxtyping import Array, Int

from symmflow_jax.flow.shapes import Scalar


class Moment(NamedTuple):
    """A moment of an integration along a curve.

    Attributes:
        s: the parameter of the curve, a float scalar in [0, 1].
        step: the number of the step, an int32 scalar from 0, the same in all stages of a step. So
            a motion with fresh noise can fold it into its keys. None for an adaptive solver, whose
            steps differ between samples, and are tried again if their error is large.
    """

    s: Scalar
    step: Int[Array, ""] | None = None


def numbered_step(moment: Moment, what: str) -> Int[Array, ""]:
    """The number of the step.

    Args:
        moment: a moment of an integration.
        what: what needs the number, for the message.

    Raises:
        ValueError: if the solver is adaptive.
    """
    if moment.step is None:
        raise ValueError(
            f"{what} draws noise for each step, and an adaptive solver has none that its samples "
            "share; choose a solver of fixed steps, such as 'euler'."
        )
    return moment.step
