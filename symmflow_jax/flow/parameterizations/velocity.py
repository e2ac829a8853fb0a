"""The output is the velocity, as in the paper."""

import dataclasses
from typing import Any

import jax

from symmflow_jax.flow.objectives.errors import mean_squared_error
from symmflow_jax.flow.parameterizations.parameterization import PathPoint
from symmflow_jax.flow.paths.path import ComponentPath


@dataclasses.dataclass(frozen=True)
class VelocityParameterization:
    """The output is the velocity, and its loss the mean squared error.

    The mean is over the entries (arXiv 2506.10634, equation 9).
    """

    @classmethod
    def of_component(
        cls, encoding: Any, label_scale: float, cross_entropy_weight: float
    ) -> "VelocityParameterization":
        """The same for every component; see `Parameterization.of_component`."""
        del encoding, label_scale, cross_entropy_weight
        return cls()

    def velocity(
        self, output: jax.Array, point: jax.Array, t: jax.Array, path: ComponentPath
    ) -> jax.Array:
        """The output."""
        del point, t, path
        return output

    def loss(self, output: jax.Array, at: PathPoint, path: ComponentPath) -> jax.Array:
        """The mean squared error of the velocity, float32 `[batch]`."""
        return mean_squared_error(output, path.velocity(at.clean, at.noise, at.t))
