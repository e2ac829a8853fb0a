"""Editing on the Gaussian mixture, whose velocity and conditionals are known exactly.

Whatever is wrong here is the fault of a method, and not of a network.
"""

import functools
import logging
from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.data.sources.synthetic import gaussian_mixture
from symmflow_jax.flow import clocks, keys, tasks
from symmflow_jax.flow.editing.flow_edit import ImageVelocity, flow_edit
from symmflow_jax.flow.editing.known import Filling, Known, Langevin, RePaint, Replacement
from symmflow_jax.flow.keys import Stream
from symmflow_jax.flow.moment import Moment
from symmflow_jax.flow.paths.linear import LinearPath
from symmflow_jax.flow.paths.path import ComponentPath
from symmflow_jax.flow.solvers import fixed_steps
from symmflow_jax.flow.solvers.adaptive import DormandPrince
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.flow.state import JointState
from symmflow_jax.metrics.energy_distance import energy_distance
from symmflow_jax.studies.editing import conditionals
from symmflow_jax.studies.likelihood import exact_fields

_logger = logging.getLogger("symmflow_jax.studies.editing")

_PATH = ComponentPath(LinearPath(exact_fields.SIGMA_MIN), clean_at_end=True)


class Size(NamedTuple):
    """How much is measured for each seed.

    Attributes:
        contexts: points whose other coordinates are found anew.
        draws: how often each is.
        points: points that are inverted, and points of each class that are swapped.
    """

    contexts: int = 64
    draws: int = 128
    points: int = 512


BUDGETS = (55, 145, 295)
"""Passes of the table of equal passes."""

INNER = (1, 2, 5, 10, 20)
NUM_STEPS = 25

REPLACED, REPAINTED, SETTLED, UNGUIDED = (
    "replacement",
    "RePaint, 5 times",
    "Langevin, 5 inner steps",
    "Langevin without the pull",
)
NOTHING, FLOOR = "known part not used", "two exact samples"


def of_budget(name: str, passes: int) -> tuple[Filling, FixedSteps]:
    """The filling of a row and the Euler steps whose passes are `passes` in all."""
    if name == REPLACED:
        return Replacement(), fixed_steps.euler(passes)
    if name == REPAINTED:
        return RePaint(5), fixed_steps.euler(passes // 5)
    inner = Langevin(5) if name == SETTLED else Langevin(5, pull=0.0)
    return inner, fixed_steps.euler((passes + 5) // 6)


def _beside(labels: jax.Array) -> ImageVelocity:
    """The exact velocity of points beside their classes, float `[batch, 1]`."""

    def velocity(image: jax.Array, t: jax.Array) -> jax.Array:
        return exact_fields.mixture()(JointState(image, labels), clocks.clean_semantics(t)).image

    return velocity


@functools.partial(jax.jit, static_argnames=("filling", "solve"))
def fill(
    points: jax.Array, labels: jax.Array, example_keys: jax.Array, filling: Filling, solve: Solve
) -> jax.Array:
    """Points `[batch, n]` whose first coordinates are known, and the others made from noise."""

    velocity = _beside(labels)
    noise = keys.normal(keys.stream(example_keys, Stream.IMAGE_NOISE), points.shape[1:])
    where = jnp.arange(points.shape[1])[None] < conditionals.NUM_KNOWN
    where = jnp.broadcast_to(where, points.shape)
    known = Known(where, points, noise, _PATH)
    noise_keys = keys.stream(example_keys, Stream.EDITING_NOISE)
    hook = filling.hook(velocity, known, noise_keys, solve)
    made = solve(lambda image, moment: velocity(image, moment.s), noise, 0.0, 1.0, hook).state
    return jnp.where(where, points, made)


class Regions:
    """The contexts of a seed: points whose other coordinates are to be found, and exact draws."""

    def __init__(self, seed: int, size: Size):
        rng = np.random.default_rng((seed, 5))
        self.labels = rng.integers(gaussian_mixture.NUM_CLASSES, size=size.contexts)
        self.points = gaussian_mixture.draw(rng, self.labels)
        self._seed, self._draws = seed, size.draws
        known = self.points[:, : conditionals.NUM_KNOWN]
        self._exact, self._others = (
            [
                conditionals.draw(rng, label, given, size.draws)
                for label, given in zip(self.labels, known, strict=True)
            ]
            for _ in range(2)
        )
        self._rng = rng

    def distance(self, filling: Filling, solve: FixedSteps) -> float:
        """The energy distance of what a filling finds to exact draws, mean over the contexts."""
        points = np.repeat(self.points, self._draws, axis=0)
        labels = np.repeat(self.labels, self._draws).astype(np.float32)[:, None]
        key = keys.of_seed(self._seed, Stream.EDITING)
        example_keys = keys.example_keys(key, jnp.arange(len(points)))
        made = fill(jnp.asarray(points), jnp.asarray(labels), example_keys, filling, solve)
        distance = self._mean(np.asarray(made)[:, conditionals.NUM_KNOWN :])
        _logger.info("seed %d, %s, %s: %.4f", self._seed, filling, solve.num_steps, distance)
        return distance

    def nothing(self) -> float:
        """The distance of points of the class that know nothing of the known coordinates."""
        drawn = gaussian_mixture.draw(self._rng, np.repeat(self.labels, self._draws))
        return self._mean(drawn[:, conditionals.NUM_KNOWN :])

    def floor(self) -> float:
        """The distance of two exact samples."""
        return self._mean(np.concatenate(self._others))

    def _mean(self, found: np.ndarray) -> float:
        parts = found.reshape(len(self.points), self._draws, -1)
        pairs = zip(parts, self._exact, strict=True)
        return float(np.mean([energy_distance(*pair) for pair in pairs]))


Table = dict[str, dict[int | str, float]]
"""Values of one seed, by row and column."""


def regions(seed: int, size: Size) -> tuple[Table, Table]:
    """Distances at equal passes, and by the number of inner steps at equal steps of the solver."""
    found = Regions(seed, size)
    by_passes: Table = {
        name: {passes: found.distance(*of_budget(name, passes)) for passes in BUDGETS}
        for name in (REPLACED, REPAINTED, SETTLED, UNGUIDED)
    }
    constant = {NOTHING: found.nothing(), FLOOR: found.floor()}
    by_passes |= {name: dict.fromkeys(BUDGETS, value) for name, value in constant.items()}
    solve = fixed_steps.euler(NUM_STEPS)
    by_inner: Table = {
        "RePaint, times": {n: found.distance(RePaint(n), solve) for n in INNER},
        "Langevin, inner steps": {n: found.distance(Langevin(n), solve) for n in INNER},
    }
    return by_passes, by_inner


ROUND_TRIPS: Mapping[str, Mapping[int, Solve]] = {
    "euler": {n: fixed_steps.euler(n // 2) for n in (20, 50, 100, 200)},
    "heun": {n: fixed_steps.heun(n // 4) for n in (20, 48, 100, 200)},
    "dopri5": {n: DormandPrince(tolerance) for n, tolerance in ((1, 1e-2), (2, 1e-3), (3, 1e-4))},
}
"""Solvers of the way to noise and back, by name; the keys of fixed steps are their passes."""


class RoundTrip(NamedTuple):
    """A way from points to noise and back.

    Attributes:
        passes: mean number of passes, there and back.
        rmse: root mean square error of what comes back.
    """

    passes: float
    rmse: float


@functools.partial(jax.jit, static_argnames="solve")
def _there_and_back(
    points: jax.Array, labels: jax.Array, solve: Solve
) -> tuple[jax.Array, jax.Array]:
    state, clock = JointState(points, labels), clocks.clean_semantics
    there = tasks.sample(exact_fields.mixture(), state, solve, clock, 1.0, 0.0)
    back = tasks.sample(exact_fields.mixture(), there.state, solve, clock, 0.0, 1.0)
    return back.state.image, there.nfe + back.nfe


def round_trips(seed: int, size: Size) -> dict[str, list[RoundTrip]]:
    """Points of the mixture that go to noise and back, by solver."""
    rng = np.random.default_rng((seed, 6))
    labels = rng.integers(gaussian_mixture.NUM_CLASSES, size=size.points)
    points = gaussian_mixture.draw(rng, labels)
    given = jnp.asarray(points), jnp.asarray(labels, jnp.float32)[:, None]
    found: dict[str, list[RoundTrip]] = {}
    for name, solvers in ROUND_TRIPS.items():
        for solve in solvers.values():
            back, passes = _there_and_back(*given, solve)
            rmse = float(np.sqrt(np.mean(np.square(np.asarray(back) - points))))
            found.setdefault(name, []).append(RoundTrip(float(np.mean(passes)), rmse))
    return found


EDITED, INVERTED, MADE = "FlowEdit", "inversion", "generated"
TO_CLASS, MOVED = "distance to the new class", "root mean square of the way"


@functools.partial(jax.jit, static_argnames="solve")
def _swapped(
    points: jax.Array, old: jax.Array, new: jax.Array, example_keys: jax.Array, solve: Solve
) -> dict[str, jax.Array]:
    def along(labels: jax.Array, image: jax.Array, start: float, end: float) -> jax.Array:
        velocity = _beside(labels)

        def dynamics(image: jax.Array, moment: Moment) -> jax.Array:
            return velocity(image, moment.s)

        return solve(dynamics, image, start, end).state

    noise_keys = keys.stream(example_keys, Stream.EDITING_NOISE)
    motion = flow_edit(_beside(new), _beside(old), _PATH, points, noise_keys)
    noise = keys.normal(keys.stream(example_keys, Stream.IMAGE_NOISE), points.shape[1:])
    return {
        EDITED: solve(motion, points, 0.0, 1.0).state,
        INVERTED: along(new, along(old, points, 1.0, 0.0), 0.0, 1.0),
        MADE: along(new, noise, 0.0, 1.0),
    }


def swaps(seed: int, size: Size) -> Table:
    """Points that get the next class: how well they fit it, and how far they go."""
    rng = np.random.default_rng((seed, 7))
    num_classes = gaussian_mixture.NUM_CLASSES
    old = np.repeat(np.arange(num_classes), size.points // num_classes)
    new = (old + 1) % num_classes
    points, exact = gaussian_mixture.draw(rng, old), gaussian_mixture.draw(rng, new)
    key = keys.of_seed(seed, Stream.EDITING)
    columns = (jnp.asarray(labels, jnp.float32)[:, None] for labels in (old, new))
    example_keys = keys.example_keys(key, jnp.arange(len(points)))
    made = _swapped(jnp.asarray(points), *columns, example_keys, fixed_steps.euler(50))
    return {
        name: {
            TO_CLASS: float(
                np.mean(
                    [
                        energy_distance(np.asarray(image)[new == c], exact[new == c])
                        for c in range(num_classes)
                    ]
                )
            ),
            MOVED: float(np.sqrt(np.mean(np.square(np.asarray(image) - points)))),
        }
        for name, image in made.items()
    }
