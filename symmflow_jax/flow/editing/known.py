"""Known pixels: an image from noise that has to agree with a part that is given.

The part enters between the steps of a solver. Simple replacement puts it on its path, at the time
that the step has reached; the unknown part has been made without it, and its border shows. The two
other ways let both parts settle at the same time before the next step: RePaint goes back by a
step and repeats it, and Langevin steps sample the unknown part given the known one.
"""

import dataclasses
import functools
import math
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from symmflow_jax.flow import keys
from symmflow_jax.flow.editing.flow_edit import ImageVelocity
from symmflow_jax.flow.moment import Moment, numbered_step
from symmflow_jax.flow.paths.path import ComponentPath
from symmflow_jax.flow.shapes import Component, ExampleKeys, Scalar
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.solver import AfterStep, Solve

_LATEST = 0.999  # Image times above are the end: nothing is left to correct.

Mask = Bool[Array, "batch *region"]
"""True for the entries that are known; an axis of 1 stands for all entries along it."""


class Known(NamedTuple):
    """The part of an image that is given.

    Attributes:
        where: bool `[batch, ...]`, see `Mask`.
        image: its values, float `[batch, ...]`; what is not known does not matter.
        noise: the noise at the start of its path, shaped as the image.
        path: the path of the image.
    """

    where: Mask
    image: Component
    noise: Component
    path: ComponentPath

    def on_path(self, t: Scalar) -> Component:
        """The known image at t, with its own noise."""
        return self.path.interpolate(self.image, self.noise, t)

    def put_into(self, image: Component, t: Scalar) -> Component:
        """An image at t whose known entries are those of the path."""
        return jnp.where(self.where, self.on_path(t), image)


def keep(where: Mask, image: Component) -> AfterStep:
    """A hook that holds entries of a state that is an image at all times, as that of FlowEdit."""

    def after(state: Component, moment: Moment) -> Component:
        del moment
        return jnp.where(where, image, state)

    return after


class Filling(Protocol):
    """A way to fill the unknown part from noise; a frozen dataclass, as a static argument."""

    def hook(
        self, velocity: ImageVelocity, known: Known, noise_keys: ExampleKeys, solve: Solve
    ) -> AfterStep:
        """What is done with the image after each step from noise, t = 0, to the image, t = 1.

        Args:
            velocity: the velocity of the image.
            known: the known part.
            noise_keys: keys `[batch]`, parents of those of all steps.
            solve: the solver.

        Raises:
            ValueError: if the solver has no fixed steps.
        """

    def passes(self, solve: Solve) -> int:
        """Velocities that the hook takes for each sample in all, beside those of the solver."""


@dataclasses.dataclass(frozen=True)
class Replacement:
    """The known part is put on its path after each step, and nothing else."""

    def hook(
        self, velocity: ImageVelocity, known: Known, noise_keys: ExampleKeys, solve: Solve
    ) -> AfterStep:
        """See `Filling`."""
        del velocity, noise_keys
        fixed_steps(solve)
        return lambda image, moment: known.put_into(image, moment.s)

    def passes(self, solve: Solve) -> int:
        """None."""
        del solve
        return 0


@dataclasses.dataclass(frozen=True)
class RePaint:
    """Each step is repeated from a point that noise brings back to its start.

    Lugmayr et al. 2022 (arXiv 2201.09865), with jumps of one step.

    Attributes:
        num_repeats: how often each step is made, at least once.
    """

    num_repeats: int = 5

    def __post_init__(self):
        _check_count("num_repeats", self.num_repeats, 1)

    def hook(
        self, velocity: ImageVelocity, known: Known, noise_keys: ExampleKeys, solve: Solve
    ) -> AfterStep:
        """See `Filling`."""
        solve = fixed_steps(solve)
        starts = solve.times(0.0, 1.0)

        def dynamics(image: Component, moment: Moment) -> Component:
            return velocity(image, moment.s)

        def after(image: Component, moment: Moment) -> Component:
            step = numbered_step(moment, "RePaint")
            step_keys, start = keys.fold_in(noise_keys, step), starts[step]

            def again(image: Component, repeat: Array) -> tuple[Component, None]:
                there, known_there = (
                    keys.normal(keys.fold_in(step_keys, 2 * repeat + part), image.shape[1:])
                    for part in (0, 1)
                )
                back = _noised(known.path, image, moment.s, start, there)
                back = known._replace(noise=known_there).put_into(back, start)
                image = solve.method.step(dynamics, back, Moment(start, step), moment.s - start)
                return known.put_into(image, moment.s), None

            image = known.put_into(image, moment.s)
            return jax.lax.scan(again, image, jnp.arange(self.num_repeats - 1))[0]

        return after

    def passes(self, solve: Solve) -> int:
        """Those of all steps, for each time that they are repeated."""
        return (self.num_repeats - 1) * fixed_steps(solve).nfe


@dataclasses.dataclass(frozen=True)
class Langevin:
    """Steps of Langevin dynamics at the time that each step of the solver has reached.

    The unknown part follows the score s of the image, and the known part a score that pulls it to
    its value: `(1 + pull) s_known - pull s`, as guided by its own expectation (LanPaint, arXiv
    2502.03491). So the parts agree with each other, and the known one with its value. To put the
    known part on its path before would undo what both have settled: on the mixture of
    `studies.editing` that doubles the distance to the exact conditional. It gets its value at the
    end.

    Attributes:
        num_inner: Langevin steps after each step of the solver, at least one.
        step_size: their length, in units of the variance of the noise in the image.
        pull: strength of the guidance of the known part, not negative; 0 for none.
    """

    num_inner: int = 5
    step_size: float = 0.1
    pull: float = 8.0

    def __post_init__(self):
        _check_count("num_inner", self.num_inner, 1)
        if not 0.0 < self.step_size < 1.0:
            raise ValueError(f"step_size is {self.step_size}; it must lie between 0 and 1.")
        if not 0.0 <= self.pull < math.inf:
            raise ValueError(f"pull is {self.pull}; it must be finite and not negative.")

    def hook(
        self, velocity: ImageVelocity, known: Known, noise_keys: ExampleKeys, solve: Solve
    ) -> AfterStep:
        """See `Filling`."""
        fixed_steps(solve)

        def settle(image: Component, t: Scalar, step_keys: ExampleKeys) -> Component:
            inner = functools.partial(self._inner_step, velocity, known, t, step_keys)
            return jax.lax.scan(inner, image, jnp.arange(self.num_inner))[0]

        def after(image: Component, moment: Moment) -> Component:
            step_keys = keys.fold_in(noise_keys, numbered_step(moment, "Langevin dynamics"))
            return jax.lax.cond(
                moment.s < _LATEST,
                settle,
                lambda image, t, _: known.put_into(image, t),
                image,
                moment.s,
                step_keys,
            )

        return after

    def _inner_step(
        self,
        velocity: ImageVelocity,
        known: Known,
        t: Scalar,
        step_keys: ExampleKeys,
        image: Component,
        number: Array,
    ) -> tuple[Component, None]:
        share = noise_share(known.path, t)
        data = known.path.interpolate(known.image, jnp.zeros_like(known.image), t)
        score = -known.path.noise_from_velocity(image, velocity(image, t), t) / share
        pulled = (1.0 + self.pull) * (data - image) / jnp.square(share) - self.pull * score
        size = self.step_size * jnp.square(share)
        sizes = jnp.where(known.where, size / (1.0 + self.pull), size)
        noise = keys.normal(keys.fold_in(step_keys, number), image.shape[1:])
        drift = jnp.where(known.where, pulled, score)
        return image + sizes * drift + jnp.sqrt(2.0 * sizes) * noise, None

    def passes(self, solve: Solve) -> int:
        """One for each inner step; the last step of the solver, which ends at t = 1, has none."""
        return self.num_inner * (fixed_steps(solve).num_steps - 1)


def noise_share(path: ComponentPath, t: Scalar) -> Scalar:
    """The share of the noise at t."""
    return path.interpolate(jnp.zeros(1), jnp.ones(1), t)[0]


def fixed_steps(solve: Solve, what: str = "Known pixels enter between the steps") -> FixedSteps:
    """The solver itself, if it has fixed steps.

    Args:
        solve: a solver.
        what: what needs the steps, for the message.

    Raises:
        ValueError: if the solver is adaptive.
    """
    if not isinstance(solve, FixedSteps):
        raise ValueError(
            f"{what} of a solver, and an adaptive one has none that its samples share; choose one "
            "of fixed steps, such as 'euler'."
        )
    return solve


def _noised(
    path: ComponentPath, image: Component, t: Scalar, earlier: Scalar, noise: Component
) -> Component:
    """A point at an earlier time whose later point was the image: what noise has come since."""
    data, data_earlier = (
        path.interpolate(jnp.ones(1), jnp.zeros(1), time)[0] for time in (t, earlier)
    )
    ratio = data_earlier / data
    variance = jnp.square(noise_share(path, earlier)) - jnp.square(ratio * noise_share(path, t))
    return ratio * image + jnp.sqrt(jnp.maximum(variance, 0.0)) * noise


def _check_count(name: str, count: int, least: int) -> None:
    if not count >= least:
        raise ValueError(f"{name} is {count}; it must be at least {least}.")
