"""Guidance: image velocities pulled towards the semantics, at sampling time."""

import dataclasses
import math

import jax.numpy as jnp
from jaxtyping import Array, Float

from symmflow_jax.flow.clocks import Velocity
from symmflow_jax.flow.shapes import Component
from symmflow_jax.flow.state import JointState


@dataclasses.dataclass(frozen=True)
class Guidance:
    """Classifier-free guidance (Ho and Salimans 2022, arXiv 2207.12598) with a second clock.

    The unconditional velocity is that of the same network with the semantics at pure noise, so
    that no labels have to be dropped in training.

    Attributes:
        weight: w of `v = u + w (c - u)`, from the unconditional velocity u and the conditional
            c; 1 means no guidance.
        start, end: interval of image times in [0, 1] with guidance (arXiv 2404.07724).
        project: scale u, for each example, to the least-squares fit of c (CFG-Zero*, arXiv
            2503.18886).
        zero_init_until: the image's velocity is zero until this time (zero-init of CFG-Zero*).
            The length of the first step skips that step.

    Raises:
        ValueError: if the weight is not finite, or if start and end are no interval in [0, 1].
    """

    weight: float = 1.0
    start: float = 0.0
    end: float = 1.0
    project: bool = False
    zero_init_until: float = 0.0

    def __post_init__(self):
        if not math.isfinite(self.weight):
            raise ValueError(f"The weight of the guidance is {self.weight}; it must be finite.")
        if not 0.0 <= self.start <= self.end <= 1.0:
            raise ValueError(
                f"Guidance from {self.start} to {self.end} is no interval in [0, 1] of times."
            )

    @property
    def passes(self) -> int:
        """Network passes for each velocity."""
        return 1 if self.weight == 1.0 else 2

    def __str__(self) -> str:
        """A short description for reports; empty without guidance."""
        parts = []
        if self.weight != 1.0:
            parts.append(f"weight {self.weight:g}")
            if (self.start, self.end) != (0.0, 1.0):
                parts.append(f"from {self.start:g} to {self.end:g}")
            if self.project:
                parts.append("projected")
        if self.zero_init_until:
            parts.append(f"still until {self.zero_init_until:g}")
        return ", ".join(parts)

    def __call__(self, velocity: Velocity, semantics_noise: Component) -> Velocity:
        """Returns the guided velocity of images; the velocity of the semantics does not change.

        Args:
            velocity: the network with its parameters bound; it must have two clocks.
            semantics_noise: standard normal float32 `[batch, ...]`, shaped as the semantics.
        """

        def guided(state: JointState, times: JointState) -> JointState:
            conditional = velocity(state, times)
            image = conditional.image
            if self.passes > 1:
                unconditional_times = JointState(times.image, jnp.ones_like(times.semantics))
                unconditional = velocity(
                    JointState(state.image, semantics_noise), unconditional_times
                ).image
                inside = (times.image >= self.start) & (times.image <= self.end)
                image = jnp.where(inside, self._combine(image, unconditional), image)
            is_zero = times.image < self.zero_init_until
            return JointState(jnp.where(is_zero, 0.0, image), conditional.semantics)

        return guided

    def _combine(self, conditional: Component, unconditional: Component) -> Component:
        if self.project:
            unconditional = _projection_scale(conditional, unconditional) * unconditional
        return unconditional + self.weight * (conditional - unconditional)


NO_GUIDANCE = Guidance()
"""The velocity without any change."""


def _projection_scale(
    conditional: Component, unconditional: Component
) -> Float[Array, " batch *ones"]:
    """The least-squares factor from `unconditional` to `conditional`, `[batch, 1, ...]`."""
    axes = tuple(range(1, unconditional.ndim))
    product = jnp.sum(conditional * unconditional, axis=axes, keepdims=True)
    square = jnp.sum(jnp.square(unconditional), axis=axes, keepdims=True)
    return product / jnp.maximum(square, 1e-12)
