"""The objective of symmetrical flow matching: weighted losses of the two components."""

import dataclasses
from collections.abc import Callable

import jax.numpy as jnp

from symmflow_jax.flow.objectives.objective import Losses, Networks
from symmflow_jax.flow.parameterizations.parameterization import PathPoint
from symmflow_jax.flow.shapes import Labels
from symmflow_jax.flow.state import JointState, map_components
from symmflow_jax.flow.time_sampling import TrainingTimes


@dataclasses.dataclass(frozen=True)
class SymmetricObjective:
    """The velocities of both components, as in the paper; see `symmetric_loss`."""

    @classmethod
    def of_guidance(cls, guidance: float) -> "SymmetricObjective":
        """Makes the same for every guidance; see `Objective.of_guidance`."""
        del guidance
        return cls()

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
        """The losses of each example; see `Objective.losses`."""
        return symmetric_loss(
            lambda state, times: networks.output(state, times, jnp.zeros_like(times.image)),
            paths,
            parameterizations,
            loss_weights,
            data,
            noise,
            labels,
            drawn,
        )


def symmetric_loss(
    network: Callable[[JointState, JointState], JointState],
    paths: JointState,
    parameterizations: JointState,
    loss_weights: JointState,
    data: JointState,
    noise: JointState,
    labels: Labels,
    drawn: TrainingTimes,
) -> Losses:
    """The weighted sum of the components' losses.

    With velocities predicted, `lambda |v_x error|^2 + (1 - lambda) |v_y error|^2`, means over the
    entries (arXiv 2506.10634, equation 9).

    Args:
        network: outputs for both components of a state and its times.
        paths: a `ComponentPath` of each component.
        parameterizations: the meaning of the network's output for each component.
        loss_weights: weight of each component's loss.
        data: clean image and semantics, float `[batch, ...]`.
        noise: standard normal arrays of the same shapes.
        labels: int `[batch, ...]`, the classes that the semantics encode.
        drawn: the times, and the components that count, each float32 `[batch]`.
    """

    points = path_points(paths, data, noise, labels, drawn.times)
    state = map_components(lambda point: point.point, points)
    output = network(state, drawn.times)
    losses = map_components(
        lambda parameterization, *arguments: parameterization.loss(*arguments),
        parameterizations,
        output,
        points,
        paths,
    )
    losses = map_components(jnp.multiply, losses, drawn.learned)
    weighted = map_components(jnp.multiply, loss_weights, losses)
    return Losses(weighted.image + weighted.semantics, losses.image, losses.semantics)


def path_points(
    paths: JointState, data: JointState, noise: JointState, labels: Labels, times: JointState
) -> JointState:
    """A `PathPoint` of each component of training examples, at some times of their paths."""

    def at(path, clean, noise, t, labels) -> PathPoint:
        return PathPoint(path.interpolate(clean, noise, t), clean, noise, t, labels)

    return map_components(at, paths, data, noise, times, JointState(None, labels))
