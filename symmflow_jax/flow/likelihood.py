"""Log densities of a flow by the instantaneous change of variables.

Chen et al. 2018 (arXiv 1806.07366) and Grathwohl et al. 2019 (arXiv 1810.01367): along a path of
the flow, the log density changes by minus the divergence of the velocity.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from symmflow_jax.flow.clocks import Clock, Velocity, along
from symmflow_jax.flow.moment import Moment
from symmflow_jax.flow.shapes import Component, ExampleKeys, PerExample
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.flow.state import JointState

MOST_EXACT = 64
"""Largest number of dimensions whose divergence `divergence_of` takes exactly."""

Pullback = Callable[[Component], Component]
"""The product of a batch of vectors with the Jacobian of each example's velocity."""


class Divergence(Protocol):
    """A way to find the divergence of a velocity; a frozen dataclass, as a static argument."""

    def probes(self, example_keys: ExampleKeys, shape: tuple[int, ...]) -> Any:
        """What it keeps during a whole path: arrays `[batch, ...]`, or None."""

    def __call__(self, pullback: Pullback, velocity: Component, probes: Any) -> PerExample:
        """The divergence of each example, float32 `[batch]`.

        Args:
            pullback: see `Pullback`.
            velocity: the velocity itself, for its shape, float `[batch, ...]`.
            probes: the result of `probes`.
        """


@dataclasses.dataclass(frozen=True)
class ExactTrace:
    """The trace of the Jacobian: a backward pass for each dimension."""

    def probes(self, example_keys: ExampleKeys, shape: tuple[int, ...]) -> None:
        """Returns None, since nothing is random."""
        del example_keys, shape

    def __call__(self, pullback: Pullback, velocity: Component, probes: None) -> PerExample:
        """The trace of each example, float32 `[batch]`."""
        del probes
        shape = velocity.shape[1:]
        size = math.prod(shape)
        units = jnp.reshape(jnp.eye(size, dtype=velocity.dtype), (size, 1, *shape))
        units = jnp.broadcast_to(units, (size, *velocity.shape))
        rows = jax.vmap(pullback)(units)
        return jnp.sum(rows * units, axis=(0, *range(2, rows.ndim)))

    def __str__(self) -> str:
        """The words of a protocol."""
        return "exact trace"


@dataclasses.dataclass(frozen=True)
class Hutchinson:
    """An unbiased estimate of the trace, by random signs (Hutchinson 1990).

    The signs of an example stay the same along its whole path, so that its log density is the
    solution of one differential equation, and unbiased too. Signs have the least variance of all
    probes with independent entries.

    Attributes:
        num_probes: vectors of signs for each example, each with a backward pass; at least 1.
    """

    num_probes: int = 1

    def __post_init__(self):
        if not self.num_probes >= 1:
            raise ValueError(f"num_probes is {self.num_probes}; an estimate takes at least one.")

    def probes(
        self, example_keys: ExampleKeys, shape: tuple[int, ...]
    ) -> Float[Array, "batch {self.num_probes} *shape"]:
        """Signs of -1 and 1, float32 `[batch, num_probes, *shape]`, each from its example's key."""
        draw = lambda key: jax.random.rademacher(key, (self.num_probes, *shape), jnp.float32)  # noqa: E731
        return jax.vmap(draw)(example_keys)

    def __call__(
        self,
        pullback: Pullback,
        velocity: Component,
        probes: Float[Array, "batch {self.num_probes} *shape"],
    ) -> PerExample:
        """The mean over the probes of `probe^T J probe`, float32 `[batch]`."""
        axes = tuple(range(1, velocity.ndim))

        def along_probe(probe: Component) -> PerExample:
            return jnp.sum(pullback(probe) * probe, axis=axes)

        return jnp.mean(jax.lax.map(along_probe, jnp.moveaxis(probes, 1, 0)), axis=0)

    def __str__(self) -> str:
        """The words of a protocol."""
        return f"{self.num_probes} random probe{'s' if self.num_probes > 1 else ''}"


def divergence_of(num_dimensions: int, num_probes: int) -> Divergence:
    """The exact trace up to `MOST_EXACT` dimensions, above it an estimate by so many probes."""
    return ExactTrace() if num_dimensions <= MOST_EXACT else Hutchinson(num_probes)


class LogDensity(NamedTuple):
    """Log densities of a batch.

    Attributes:
        nats: float32 `[batch]`.
        nfe: evaluations of the velocity for each example, int `[batch]`. Each comes with the
            backward passes of the divergence.
        noise: the noise at the end of the path, shaped as the data.
    """

    nats: PerExample
    nfe: Int[Array, " batch"]
    noise: Component


class _Augmented(NamedTuple):
    """What is integrated.

    The probes and the component that does not move are parts of the state, because a solver may
    take the examples one by one.
    """

    moving: Array
    held: Array
    divergence: Array
    probes: Any


def log_density(
    velocity: Velocity,
    data: JointState,
    clock: Clock,
    solve: Solve,
    start: float,
    end: float,
    divergence: Divergence,
    probes: Any,
    *,
    of_image: bool = True,
) -> LogDensity:
    """The log density of one component beside the other one, which does not move.

    `log p(x) = log N(z) + integral of div v ds from start to end`, with the noise z that the flow
    leads to. The result is exact up to the solver's error and the estimate of the divergence.

    Args:
        velocity: the network with its parameters bound; an example's velocity must depend on no
            other example.
        data: the component whose density is meant, and the one beside it, float `[batch, ...]`.
        clock: the times of both components by s; the component beside it has the same time always.
        solve: the solver. Euler's method errs in one direction (docs/likelihood.md).
        start: the s at which the component is data.
        end: the s at which it is noise.
        divergence: the way to find the divergence.
        probes: the result of its `probes` for these examples.
        of_image: whether the density is that of the image, and not that of the semantics.
    """
    drift = along(clock, velocity)

    def dynamics(state: _Augmented, moment: Moment) -> _Augmented:
        def moving_velocity(moving: Component) -> Component:
            joint = _joint(moving, state.held, of_image)
            return _parts(drift(joint, moment), of_image)[0]

        rate, pull = jax.vjp(moving_velocity, state.moving)
        change = divergence(lambda vectors: pull(vectors)[0], rate, state.probes)
        still = jax.tree.map(jnp.zeros_like, state)
        return still._replace(moving=rate, divergence=change)

    moving, held = _parts(data, of_image)
    first = _Augmented(moving, held, jnp.zeros(moving.shape[0], jnp.float32), probes)
    solution = solve(dynamics, first, start, end)
    noise = solution.state.moving
    nats = standard_normal(noise) + solution.state.divergence
    return LogDensity(nats, solution.nfe, noise)


def standard_normal(noise: Component) -> PerExample:
    """The log density of the standard normal distribution in nats, float32 `[batch]`."""
    size = math.prod(noise.shape[1:])
    squares = jnp.sum(jnp.square(noise), axis=tuple(range(1, noise.ndim)))
    return -0.5 * (squares + size * math.log(2.0 * math.pi))


def mean_of_draws(nats: Float[Array, "draws batch"]) -> PerExample:
    """The log of the mean density over draws, float32 `[batch]`; `[draws, batch]` in nats."""
    return jax.nn.logsumexp(nats, axis=0) - math.log(nats.shape[0])


def _joint(moving: Array, held: Array, of_image: bool) -> JointState:
    return JointState(moving, held) if of_image else JointState(held, moving)


def _parts(state: JointState, of_image: bool) -> tuple[Array, Array]:
    """The component that moves, and the other one."""
    return (state.image, state.semantics) if of_image else (state.semantics, state.image)
