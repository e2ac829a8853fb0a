"""What a probability path is, and how it leads one component from noise to data or back."""

import dataclasses
from typing import Protocol

import jax


class Path(Protocol):
    """A path from `start` (t = 0) to `end` (t = 1), with the conversions that belong to it.

    All arrays are float `[batch, ...]` of one shape; t is a float scalar or `[batch]` in [0, 1].
    A constructor takes `sigma_min`, what is left of the start at t = 1.
    """

    def interpolate(self, start: jax.Array, end: jax.Array, t: jax.Array) -> jax.Array:
        """The point of the path at t."""

    def velocity(self, start: jax.Array, end: jax.Array, t: jax.Array) -> jax.Array:
        """The time derivative of `interpolate` at t."""

    def velocity_from_start(self, point: jax.Array, start: jax.Array, t: jax.Array) -> jax.Array:
        """The velocity at a point whose path began at `start`; has a pole at t = 0."""

    def velocity_from_end(self, point: jax.Array, end: jax.Array, t: jax.Array) -> jax.Array:
        """The velocity at a point whose path leads to `end`; has a pole at t = 1."""

    def start_from_velocity(self, point: jax.Array, velocity: jax.Array, t: jax.Array) -> jax.Array:
        """Where the path through a point with this velocity began."""

    def end_from_velocity(self, point: jax.Array, velocity: jax.Array, t: jax.Array) -> jax.Array:
        """Where the path through a point with this velocity leads."""


@dataclasses.dataclass(frozen=True)
class ComponentPath:
    """The path of one component, in terms of its clean data and its noise.

    The image runs from noise to data and the semantics from data to noise: this exchange is the
    whole of the symmetry (arXiv 2506.10634, section 3).

    Attributes:
        path: the path between two endpoints.
        clean_at_end: whether the data is at t = 1, as for the image, and not at t = 0.
    """

    path: Path
    clean_at_end: bool

    def interpolate(self, clean: jax.Array, noise: jax.Array, t: jax.Array) -> jax.Array:
        """The component at t, float `[batch, ...]`."""
        return self.path.interpolate(*self._endpoints(clean, noise), t)

    def velocity(self, clean: jax.Array, noise: jax.Array, t: jax.Array) -> jax.Array:
        """Its velocity at t, shaped as the data."""
        return self.path.velocity(*self._endpoints(clean, noise), t)

    def velocity_from_clean(self, point: jax.Array, clean: jax.Array, t: jax.Array) -> jax.Array:
        """The velocity at a point, if the clean data is known; has a pole where it is clean."""
        if self.clean_at_end:
            return self.path.velocity_from_end(point, clean, t)
        return self.path.velocity_from_start(point, clean, t)

    def clean_from_velocity(self, point: jax.Array, velocity: jax.Array, t: jax.Array) -> jax.Array:
        """The clean data that a point and its velocity tell of."""
        if self.clean_at_end:
            return self.path.end_from_velocity(point, velocity, t)
        return self.path.start_from_velocity(point, velocity, t)

    def noise_from_velocity(self, point: jax.Array, velocity: jax.Array, t: jax.Array) -> jax.Array:
        """The noise that a point and its velocity tell of."""
        if self.clean_at_end:
            return self.path.start_from_velocity(point, velocity, t)
        return self.path.end_from_velocity(point, velocity, t)

    def _endpoints(self, clean: jax.Array, noise: jax.Array) -> tuple[jax.Array, jax.Array]:
        return (noise, clean) if self.clean_at_end else (clean, noise)
