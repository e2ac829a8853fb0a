"""The interface of probability paths, and the path of one component."""

import dataclasses
from typing import Protocol

from symmflow_jax.flow.shapes import Component, Time


class Path(Protocol):
    """A path from `start` (t = 0) to `end` (t = 1), with the conversions that belong to it.

    All arrays are float `[batch, ...]` of one shape; t is a float scalar or `[batch]` in [0, 1].
    A constructor takes `sigma_min`, the share of the start at t = 1.
    """

    def interpolate(self, start: Component, end: Component, t: Time) -> Component:
        """The point of the path at t."""

    def velocity(self, start: Component, end: Component, t: Time) -> Component:
        """The time derivative of `interpolate` at t."""

    def velocity_from_start(self, point: Component, start: Component, t: Time) -> Component:
        """The velocity at a point of a path from `start`. There is a pole at t = 0."""

    def velocity_from_end(self, point: Component, end: Component, t: Time) -> Component:
        """The velocity at a point of a path to `end`. There is a pole at t = 1."""

    def start_from_velocity(self, point: Component, velocity: Component, t: Time) -> Component:
        """The start of the path through a point with this velocity."""

    def end_from_velocity(self, point: Component, velocity: Component, t: Time) -> Component:
        """The end of the path through a point with this velocity."""


@dataclasses.dataclass(frozen=True)
class ComponentPath:
    """The path of one component, in terms of its clean data and its noise.

    The image runs from noise to data, and the semantics run from data to noise. This is the
    symmetry of the flow (arXiv 2506.10634, section 3).

    Attributes:
        path: the path between two endpoints.
        clean_at_end: whether the data is at t = 1, as for the image, and not at t = 0.
    """

    path: Path
    clean_at_end: bool

    def interpolate(self, clean: Component, noise: Component, t: Time) -> Component:
        """The component at t, float `[batch, ...]`."""
        return self.path.interpolate(*self._endpoints(clean, noise), t)

    def velocity(self, clean: Component, noise: Component, t: Time) -> Component:
        """The component's velocity at t, float `[batch, ...]`."""
        return self.path.velocity(*self._endpoints(clean, noise), t)

    def velocity_from_clean(self, point: Component, clean: Component, t: Time) -> Component:
        """The velocity at a point of a path of this clean data, with a pole at the clean end."""
        if self.clean_at_end:
            return self.path.velocity_from_end(point, clean, t)
        return self.path.velocity_from_start(point, clean, t)

    def clean_from_velocity(self, point: Component, velocity: Component, t: Time) -> Component:
        """The clean data of the path through a point with this velocity."""
        if self.clean_at_end:
            return self.path.end_from_velocity(point, velocity, t)
        return self.path.start_from_velocity(point, velocity, t)

    def noise_from_velocity(self, point: Component, velocity: Component, t: Time) -> Component:
        """The noise of the path through a point with this velocity."""
        if self.clean_at_end:
            return self.path.start_from_velocity(point, velocity, t)
        return self.path.end_from_velocity(point, velocity, t)

    def _endpoints(self, clean: Component, noise: Component) -> tuple[Component, Component]:
        return (noise, clean) if self.clean_at_end else (clean, noise)
