"""The parameterization whose output is the clean data."""

import dataclasses
from typing import Any

from symmflow_jax.flow.objectives.errors import mean_squared_error
from symmflow_jax.flow.parameterizations.parameterization import PathPoint, known_places
from symmflow_jax.flow.paths.path import ComponentPath
from symmflow_jax.flow.shapes import Component, PerExample, Time


@dataclasses.dataclass(frozen=True)
class CleanParameterization:
    """The output is the clean data; the loss is that of the velocity towards it.

    On a linear path the loss is the error of the data over `(1 - t)^2` (Li and He 2025, arXiv
    2511.13720, table 1); near the pole the path bounds the weight.

    Attributes:
        has_unknown: whether labels may be unknown, whose places have no loss.
    """

    has_unknown: bool = False

    @classmethod
    def of_component(
        cls, encoding: Any, label_scale: float, cross_entropy_weight: float
    ) -> "CleanParameterization":
        """Makes the same for every component; see `Parameterization.of_component`."""
        del label_scale, cross_entropy_weight
        return cls(has_unknown=getattr(encoding, "has_unknown", False))

    def velocity(
        self, output: Component, point: Component, t: Time, path: ComponentPath
    ) -> Component:
        """The velocity from the point towards the output, float `[batch, ...]`."""
        return path.velocity_from_clean(point, output, t)

    def loss(self, output: Component, at: PathPoint, path: ComponentPath) -> PerExample:
        """The mean squared error of that velocity, float32 `[batch]`."""
        velocity = self.velocity(output, at.point, at.t, path)
        known = known_places(at) if self.has_unknown else None
        return mean_squared_error(velocity, self.velocity(at.clean, at.point, at.t, path), known)
