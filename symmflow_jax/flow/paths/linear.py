"""The straight path of flow matching."""

import dataclasses

import jax.numpy as jnp
from jaxtyping import Array, Float

from symmflow_jax.flow.shapes import Component, Time


@dataclasses.dataclass(frozen=True)
class LinearPath:
    """Straight path from `start` (t = 0) to `end` (t = 1), which keeps `sigma_min` of the start.

    Lipman et al. 2023 (arXiv 2210.02747), equations 20 to 23, with the published SymmFlow
    constant `sigma_min` = 1e-4 (arXiv 2506.10634 writes 0). Its methods are those of `Path`.

    Attributes:
        sigma_min: the share of the start at t = 1.
        pole_margin: smallest distance in time to the pole of a conversion. Nearer times are moved
            to this distance.
    """

    sigma_min: float = 1e-4
    pole_margin: float = 0.01

    def interpolate(self, start: Component, end: Component, t: Time) -> Component:
        """The point `(1 - (1 - sigma_min) t) start + t end`."""
        t = expand(t, start.ndim)
        return self._remainder(t) * start + t * end

    def velocity(self, start: Component, end: Component, t: Time) -> Component:
        """`end - (1 - sigma_min) start`, at all t."""
        del t
        return end - (1.0 - self.sigma_min) * start

    def velocity_from_start(self, point: Component, start: Component, t: Time) -> Component:
        """`(point - start) / t`."""
        t = jnp.maximum(t, self.pole_margin)
        return (point - start) / expand(t, point.ndim)

    def velocity_from_end(self, point: Component, end: Component, t: Time) -> Component:
        """`(end - (1 - sigma_min) point) / (1 - (1 - sigma_min) t)`."""
        t = expand(jnp.minimum(t, 1.0 - self.pole_margin), point.ndim)
        return (end - (1.0 - self.sigma_min) * point) / self._remainder(t)

    def start_from_velocity(self, point: Component, velocity: Component, t: Time) -> Component:
        """`point - t velocity`."""
        return point - expand(t, point.ndim) * velocity

    def end_from_velocity(self, point: Component, velocity: Component, t: Time) -> Component:
        """`(1 - sigma_min) point + (1 - (1 - sigma_min) t) velocity`."""
        remainder = self._remainder(expand(t, point.ndim))
        return (1.0 - self.sigma_min) * point + remainder * velocity

    def _remainder(self, t: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """The share of the start at t."""
        return 1.0 - (1.0 - self.sigma_min) * t


def expand(t: Time, ndim: int) -> Float[Array, "*shape"]:
    """t with as many trailing axes of 1 as make `ndim` axes."""
    return jnp.reshape(t, t.shape + (1,) * (ndim - t.ndim))
