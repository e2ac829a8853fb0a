"""The parameterization whose output is the velocity (arXiv 2506.10634)."""

import dataclasses
from typing import Any

from symmflow_jax.flow.objectives.errors import mean_squared_error
from symmflow_jax.flow.parameterizations.parameterization import PathPoint, known_places
from symmflow_jax.flow.paths.path import ComponentPath
from symmflow_jax.flow.shapes import Component, PerExample, Time


@dataclasses.dataclass(frozen=True)
class VelocityParameterization:
    """The output is the velocity, and its loss the mean squared error.

    The mean is over the entries (arXiv 2506.10634, equation 9).

    Attributes:
        has_unknown: whether labels may be unknown, whose places have no loss.
    """

    has_unknown: bool = False

    @classmethod
    def of_component(
        cls, encoding: Any, label_scale: float, cross_entropy_weight: float
    ) -> "VelocityParameterization":
        """Makes the same for every component; see `Parameterization.of_component`."""
        del label_scale, cross_entropy_weight
        return cls(has_unknown=getattr(encoding, "has_unknown", False))

    def velocity(
        self, output: Component, point: Component, t: Time, path: ComponentPath
    ) -> Component:
        """Returns the output, float `[batch, ...]`."""
        del point, t, path
        return output

    def loss(self, output: Component, at: PathPoint, path: ComponentPath) -> PerExample:
        """The mean squared error of the velocity, float32 `[batch]`."""
        known = known_places(at) if self.has_unknown else None
        return mean_squared_error(output, path.velocity(at.clean, at.noise, at.t), known)
