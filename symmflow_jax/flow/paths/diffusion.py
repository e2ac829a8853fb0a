"""The variance-preserving path of diffusion models."""

import dataclasses
import math
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from symmflow_jax.flow.paths.linear import expand
from symmflow_jax.flow.shapes import Component, Time

BETA_MIN, BETA_MAX = 0.1, 20.0
"""The noise rate at the first and at the last time of the diffusion (arXiv 2011.13456)."""


class _Shares(NamedTuple):
    """The shares of start and end at some times, and the rate of the latter."""

    start: Float[Array, "*shape"]
    end: Float[Array, "*shape"]
    end_rate: Float[Array, "*shape"]


@dataclasses.dataclass(frozen=True)
class DiffusionPath:
    """Path from `start` (t = 0) to `end` (t = 1) with shares whose squares add up to 1.

    The variance-preserving diffusion of Song et al. 2021 (arXiv 2011.13456) in reversed time, as
    flow matching takes it for comparison (Lipman et al. 2023, arXiv 2210.02747, section 4.1): the
    share of the end is `exp(-T/2)`, with T the integral of a linear noise rate. At t = 0 it is not
    0 but 0.0066. Its methods are those of `Path`.

    Attributes:
        sigma_min: the share of the start at t = 1, in (0, 1). 1e-3 is the cut of the time at 1e-5
            in the paper.
        pole_margin: smallest distance in time to the pole of a conversion. Nearer times are moved
            to this distance.

    Raises:
        ValueError: if sigma_min is not in (0, 1), since the velocity has a pole at 0.
    """

    sigma_min: float = 1e-3
    pole_margin: float = 0.01

    def __post_init__(self):
        if not 0.0 < self.sigma_min < 1.0:
            raise ValueError(
                f"config.train.sigma_min is {self.sigma_min}; a diffusion path, whose velocity has "
                "a pole where no noise is left, needs it above 0, such as 1e-3."
            )

    def interpolate(self, start: Component, end: Component, t: Time) -> Component:
        """The point `sqrt(1 - a^2) start + a end`, with `a = exp(-T/2)` at t."""
        at = self._shares(t, start.ndim)
        return at.start * start + at.end * end

    def velocity(self, start: Component, end: Component, t: Time) -> Component:
        """`a' (end - a / sqrt(1 - a^2) start)`, with the rate a' of a at t."""
        at = self._shares(t, start.ndim)
        return at.end_rate * (end - at.end / at.start * start)

    def velocity_from_start(self, point: Component, start: Component, t: Time) -> Component:
        """`a' / a (point - start / sqrt(1 - a^2))`."""
        at = self._shares(t, point.ndim)
        return at.end_rate / at.end * (point - start / at.start)

    def velocity_from_end(self, point: Component, end: Component, t: Time) -> Component:
        """`a' / (1 - a^2) (end - a point)`."""
        at = self._shares(jnp.minimum(t, 1.0 - self.pole_margin), point.ndim)
        return at.end_rate / jnp.square(at.start) * (end - at.end * point)

    def start_from_velocity(self, point: Component, velocity: Component, t: Time) -> Component:
        """`sqrt(1 - a^2) (point - a / a' velocity)`."""
        at = self._shares(t, point.ndim)
        return at.start * (point - at.end / at.end_rate * velocity)

    def end_from_velocity(self, point: Component, velocity: Component, t: Time) -> Component:
        """`a point + (1 - a^2) / a' velocity`."""
        at = self._shares(t, point.ndim)
        return at.end * point + jnp.square(at.start) / at.end_rate * velocity

    def _shares(self, t: Time, ndim: int) -> _Shares:
        """The shares at t, with as many axes."""
        first = self._first_time
        # Of the diffusion, 1 at t = 0. Near t = 1 no digits are lost.
        time = expand((1.0 - t) + first * t, ndim)
        slope = BETA_MAX - BETA_MIN
        integral = time * (BETA_MIN + 0.5 * slope * time)
        end = jnp.exp(-0.5 * integral)
        rate = 0.5 * (BETA_MIN + slope * time) * (1.0 - first)
        return _Shares(jnp.sqrt(-jnp.expm1(-integral)), end, rate * end)

    @property
    def _first_time(self) -> float:
        """The time of the diffusion at which `sigma_min` of the noise has come."""
        integral, slope = -math.log1p(-(self.sigma_min**2)), BETA_MAX - BETA_MIN
        return 2.0 * integral / (BETA_MIN + math.sqrt(BETA_MIN**2 + 2.0 * slope * integral))
