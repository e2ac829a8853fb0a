"""The interface of training objectives."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from symmflow_jax.flow.clocks import Velocity
from symmflow_jax.flow.shapes import Component, Labels, PerExample
from symmflow_jax.flow.state import JointState
from symmflow_jax.flow.time_sampling import TrainingTimes

Output = Callable[[JointState, JointState, PerExample], JointState]
"""`output(state, times, span)`: the network's outputs for both components."""


class Losses(NamedTuple):
    """Losses of each example, float32 `[batch]`; zero where a component is not learned.

    Attributes:
        total: what training minimizes.
        image, semantics: the losses of the components, unweighted.
    """

    total: PerExample
    image: PerExample
    semantics: PerExample


class Networks(NamedTuple):
    """The networks of an objective, with their weights bound.

    Attributes:
        output: the network that learns.
        held: the same function, without a gradient.
        for_tangents: the same, without a gradient, in a form that has tangents (forward mode).
        teacher: the velocity of a frozen network, or None.
        semantics_noise: draws standard normal float32, shaped as the semantics, for the
            unconditional velocity.
    """

    output: Output
    held: Output
    for_tangents: Output
    teacher: Velocity | None
    semantics_noise: Callable[[], Component]


class Objective(Protocol):
    """What training minimizes; a frozen dataclass, so that it can be a static argument."""

    @classmethod
    def of_guidance(cls, guidance: float) -> "Objective":
        """The objective of a network that learns guided velocities of this weight; 1 for none."""

    def losses(
        self,
        networks: Networks,
        paths: JointState,
        parameterizations: JointState,
        loss_weights: JointState,
        data: JointState,
        noise: JointState,
        labels: Labels,
        drawn: TrainingTimes,
    ) -> Losses:
        """The losses of each example.

        Args:
            networks: the network and what it is compared with.
            paths: a `ComponentPath` of each component.
            parameterizations: the meaning of the network's output for each component.
            loss_weights: weight of each component's loss.
            data: clean image and semantics, float `[batch, ...]`.
            noise: standard normal arrays of the same shapes.
            labels: int `[batch, ...]`, the classes that the semantics encode.
            drawn: times, spans and the components that count, each float32 `[batch]`.
        """
