"""Guidance: velocities of images drawn towards what their semantics tell."""

import dataclasses

import jax
import jax.numpy as jnp

from symmflow_jax.flow.clocks import Velocity
from symmflow_jax.flow.state import JointState


@dataclasses.dataclass(frozen=True)
class Guidance:
    """Classifier-free guidance (Ho and Salimans 2022, arXiv 2207.12598) with a second clock.

    The unconditional velocity is that of the same network with the semantics at pure noise, so
    that no labels have to be dropped in training.

    Attributes:
        weight: w of `v = u + w (c - u)`, from the unconditional velocity u and the conditional
            c; 1 is none.
        start, end: the image's times between which there is guidance (arXiv 2404.07724).
        project: scale u, for each example, to its best fit of c (CFG-Zero*, arXiv 2503.18886).
        zero_init_until: the image stands still before this time (the zero-init of CFG-Zero*);
            with the length of the first step it leaves that step out.
    """

    weight: float = 1.0
    start: float = 0.0
    end: float = 1.0
    project: bool = False
    zero_init_until: float = 0.0

    def __post_init__(self):
        if not 0.0 <= self.start <= self.end <= 1.0:
            raise ValueError(
                f"Guidance from {self.start} to {self.end} is no interval in [0, 1] of times."
            )

    @property
    def passes(self) -> int:
        """Network passes for each velocity."""
        return 1 if self.weight == 1.0 else 2

    def __str__(self) -> str:
        """In a few words, for a protocol; empty if there is none."""
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

    def __call__(self, velocity: Velocity, semantics_noise: jax.Array) -> Velocity:
        """The guided velocity of images; that of the semantics stays as it is.

        Args:
            velocity: the network with its parameters bound; it must have two clocks.
            semantics_noise: standard normal, shaped as the semantics.
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
            still = times.image < self.zero_init_until
            return JointState(jnp.where(still, 0.0, image), conditional.semantics)

        return guided

    def _combine(self, conditional: jax.Array, unconditional: jax.Array) -> jax.Array:
        if self.project:
            unconditional = _projection_scale(conditional, unconditional) * unconditional
        return unconditional + self.weight * (conditional - unconditional)


NO_GUIDANCE = Guidance()
"""JointState the velocity as it is."""


def _projection_scale(conditional: jax.Array, unconditional: jax.Array) -> jax.Array:
    """The factor of `blind` that comes nearest to `conditional`, `[batch, 1, ...]`."""
    axes = tuple(range(1, unconditional.ndim))
    product = jnp.sum(conditional * unconditional, axis=axes, keepdims=True)
    square = jnp.sum(jnp.square(unconditional), axis=axes, keepdims=True)
    return product / jnp.maximum(square, 1e-12)
