"""Study of likelihood: log densities against distributions that are known.

    python -m symmflow_jax.studies.likelihood --workdir=runs/likelihood

The data are a mixture of eight classes in sixteen dimensions. With its exact velocity, a log
density should be exact too: that measures solvers and estimates of the divergence. With a network,
the distance to the true log density is what the network has not learned.
"""

import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.data.batch import Points
from symmflow_jax.data.sources.synthetic import gaussian_mixture
from symmflow_jax.flow import clocks, keys, likelihood
from symmflow_jax.flow.clocks import Velocity
from symmflow_jax.flow.keys import Stream
from symmflow_jax.flow.likelihood import Divergence, ExactTrace, Hutchinson
from symmflow_jax.flow.solvers import fixed_steps
from symmflow_jax.flow.solvers.adaptive import DormandPrince
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.flow.state import JointState
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.methods.likelihood import Density
from symmflow_jax.metrics.bits import MeanAndError, bits
from symmflow_jax.runs import markdown
from symmflow_jax.runs.pictures import plots
from symmflow_jax.semantics.planes import HALF_RANGE
from symmflow_jax.studies import guidance, report, training
from symmflow_jax.studies.likelihood import exact_fields
from symmflow_jax.studies.report import Report

SEEDS = (0, 1, 2)
NUM_POINTS = 512
NUM_DRAWS = 8

SOLVERS: dict[str, Solve] = {
    "rk4, 5 steps": fixed_steps.rk4(5),
    "rk4, 10 steps": fixed_steps.rk4(10),
    "dopri5, tolerance 1e-5": DormandPrince(1e-5),
    "heun, 25 steps": fixed_steps.heun(25),
    "euler, 25 steps": fixed_steps.euler(25),
    "euler, 100 steps": fixed_steps.euler(100),
}

TRAININGS: dict[str, dict[str, Any]] = {
    "untrained": {"train.num_epochs": 0.02, "train.warmup_epochs": 0.01, "train.ema_decay": 0.5},
    **guidance.TRAININGS,
}
"""Changes of `guidance.SETTINGS`."""

_DENSITIES = {"given the class": Density.IMAGE_GIVEN_SEMANTICS, "without": Density.IMAGE}

Values = dict[str, list[float]]
"""Values of all seeds by name."""


class Findings(NamedTuple):
    """Errors in nats a point.

    Attributes:
        solvers: for each solver, the mean and the largest error with the exact velocity.
        closed_form: largest error of one Gaussian, by `rk4` in 10 steps.
        probes: mean error of one random probe, and its distance from zero in standard errors.
        draws: rise of the log of a mean over draws that differ in their probes alone.
        uniform_bits: bits per dimension of levels that are all equally probable.
        excess: for each training and density, how far the network is below the truth.
    """

    solvers: dict[str, Values]
    closed_form: list[float]
    probes: Values
    draws: list[float]
    uniform_bits: float
    excess: dict[str, Values]


def study(
    seeds: Sequence[int] = SEEDS,
    changes: Mapping[str, Any] | None = None,
    num_points: int = NUM_POINTS,
) -> Report:
    """Measures exact velocities and trained networks.

    Args:
        seeds: seeds of points, parameters and noise.
        changes: config values on top of `guidance.SETTINGS` and `TRAININGS`.
        num_points: number of points of each seed.
    """
    of_exact = [_of_exact(seed, num_points) for seed in seeds]
    probes = [_of_probes(seed, num_points) for seed in seeds]
    findings = Findings(
        {
            name: {column: [found[name][column] for found in of_exact] for column in _ERRORS}
            for name in SOLVERS
        },
        [_of_gaussian(seed) for seed in seeds],
        {name: [found[name] for found in probes] for name in _PROBES},
        [found[_RISE] for found in probes],
        _bits_of_uniform_levels(),
        _excess(seeds, changes, num_points),
    )
    return Report(_text(findings, num_points, changes, seeds), _plot(findings))


_MEAN, _LARGEST = "mean error", "largest error"
_ERRORS = (_MEAN, _LARGEST)
_BIAS, _IN_ERRORS, _SPREAD = "mean error", "in standard errors", "spread of a point"
_PROBES = (_BIAS, _IN_ERRORS, _SPREAD)
_RISE = "rise"


def _points(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of random classes, and the classes."""
    rng = np.random.default_rng((seed, 2))
    labels = rng.integers(gaussian_mixture.NUM_CLASSES, size=count)
    return gaussian_mixture.draw(rng, labels), labels


@functools.partial(jax.jit, static_argnames=("solve", "divergence", "of_mixture"))
def _log_density(
    points: jax.Array,
    beside: jax.Array,
    probe_keys: jax.Array,
    solve: Solve,
    divergence: Divergence,
    of_mixture: Velocity,
) -> jax.Array:
    probes = divergence.probes(probe_keys, points.shape[1:])
    state = JointState(points, beside)
    clock = clocks.clean_semantics
    found = likelihood.log_density(of_mixture, state, clock, solve, 1.0, 0.0, divergence, probes)
    return found.nats


_MIXTURE = functools.cache(exact_fields.mixture)


def _probe_keys(seed: int, draw: int, count: int) -> jax.Array:
    key = jax.random.fold_in(keys.of_seed(seed, Stream.EVALUATION), draw)
    return keys.example_keys(key, jnp.arange(count))


def _of_exact(seed: int, count: int) -> dict[str, dict[str, float]]:
    """Errors of all solvers with the exact velocity and the exact divergence."""
    points, labels = _points(seed, count)
    truth = gaussian_mixture.log_density(points, labels)
    beside = jnp.asarray(labels, jnp.float32)[:, None]
    found = {}
    for name, solve in SOLVERS.items():
        nats = _log_density(
            jnp.asarray(points),
            beside,
            _probe_keys(seed, 0, count),
            solve,
            ExactTrace(),
            _MIXTURE(),
        )
        errors = np.asarray(nats, np.float64) - truth
        found[name] = {_MEAN: float(errors.mean()), _LARGEST: float(np.abs(errors).max())}
    return found


def _of_gaussian(seed: int) -> float:
    """The largest error of one Gaussian whose log density has a closed form."""
    rng = np.random.default_rng((seed, 3))
    mean, scales = rng.normal(size=4), np.exp(rng.normal(scale=0.5, size=4))
    points = (mean + scales * rng.normal(size=(64, 4))).astype(np.float32)
    truth = -0.5 * np.square((points - mean) / scales).sum(axis=1)
    truth -= np.log(scales).sum() + 2.0 * np.log(2.0 * np.pi)
    nats = _log_density(
        jnp.asarray(points),
        jnp.zeros((64, 1)),
        _probe_keys(seed, 0, 64),
        SOLVERS["rk4, 10 steps"],
        ExactTrace(),
        exact_fields.gaussian(mean, scales),
    )
    return float(np.abs(np.asarray(nats) - truth).max())


def _of_probes(seed: int, count: int) -> dict[str, float]:
    """What random probes do to one log density, and to the log of a mean over draws.

    The draws differ in nothing but their probes, so that their mean should change nothing.
    """
    points, labels = _points(seed, count)
    beside = jnp.asarray(labels, jnp.float32)[:, None]
    solve, arguments = SOLVERS["rk4, 10 steps"], (jnp.asarray(points), beside)

    def estimate(draw: int, divergence: Divergence) -> jax.Array:
        return _log_density(
            *arguments, _probe_keys(seed, draw, count), solve, divergence, _MIXTURE()
        )

    exact = estimate(0, ExactTrace())
    own = jnp.stack([estimate(draw, Hutchinson(1)) for draw in range(NUM_DRAWS)])
    errors = MeanAndError()
    errors.add(own[0] - exact, np.ones(count, bool))
    return {
        _BIAS: errors.mean,
        _IN_ERRORS: errors.mean / errors.standard_error,
        _SPREAD: float(jnp.std(own[0] - exact)),
        _RISE: float(jnp.mean(likelihood.mean_of_draws(own) - exact)),
    }


def _bits_of_uniform_levels() -> float:
    """Bits per dimension under a constant density over the bins of all 256 levels."""
    side = 256.0 / HALF_RANGE
    return float(bits(np.asarray([-3072.0 * np.log(side)]), 3072, 1.0 / HALF_RANGE)[0] / 3072)


def _excess(
    seeds: Sequence[int], changes: Mapping[str, Any] | None, num_points: int
) -> dict[str, Values]:
    """How many nats a point the networks are below the true log density."""
    drawn = [_points(seed, num_points) for seed in seeds]
    truth = {
        "given the class": [gaussian_mixture.log_density(*pair).mean() for pair in drawn],
        "without": [gaussian_mixture.log_density(points).mean() for points, _ in drawn],
    }
    points = jnp.asarray(np.stack([points for points, _ in drawn]))
    labels = jnp.asarray(np.stack([labels for _, labels in drawn]), jnp.int32)
    found: dict[str, Values] = {}
    for name, of_training in TRAININGS.items():
        values = guidance.SETTINGS | of_training | dict(changes or {})
        trained = training.train(
            training.experiment_of("configs/gaussian_mixture.py", values), seeds
        )
        found[name] = {
            column: [
                float(true - np.mean(nats))
                for true, nats in zip(
                    truth[column], _log_likelihoods(trained, points, labels, of), strict=True
                )
            ]
            for column, of in _DENSITIES.items()
        }
    return found


def _log_likelihoods(
    trained: training.TrainedSeeds, points: jax.Array, labels: jax.Array, of: Density
) -> np.ndarray:
    """Log densities of points `[seeds, count, n]` under the networks, `[seeds, count]`."""
    evaluation_keys = jnp.stack([keys.of_seed(seed, Stream.EVALUATION) for seed in trained.seeds])
    found = jax.vmap(
        lambda weights, key, points, labels: (
            predictions.log_likelihood(
                trained.method,
                weights,
                key,
                jnp.arange(len(points)),
                Points(points),
                labels,
                SOLVERS["rk4, 10 steps"],
                of,
            ).nats
        )
    )(trained.weights, evaluation_keys, points, labels)
    return np.asarray(found, np.float64)


def _text(
    findings: Findings, num_points: int, changes: Mapping[str, Any] | None, seeds: Sequence[int]
) -> str:
    changed = f" Changed: {training.in_words(changes)}." if changes else ""
    trainings = "; ".join(f"{name} {training.in_words(v)}" for name, v in TRAININGS.items())
    probes = {"one probe": findings.probes}
    return f"""# Likelihood: a mixture of eight classes in sixteen dimensions

## The exact velocity

Error of log p(x | class) in nats a point, with the exact divergence. A positive error flatters.

{report.table_over_seeds("solver", findings.solvers, _ERRORS)}

## One random probe in place of the exact divergence

{report.table_over_seeds("divergence", probes, _PROBES)}

The log of the mean density over {NUM_DRAWS} draws that differ in their probes alone is too high by
{markdown.mean_and_spread(findings.draws)}: the mean counts most the errors that flatter. So the
draws of an example share their probes.

## Networks

Nats a point below the true log density; 10 steps of rk4, exact divergence.

{report.table_over_seeds("network", findings.excess, list(_DENSITIES))}

## Gates

{gates(findings)}

Means ± standard deviations of seeds {", ".join(map(str, seeds))}; {num_points} points each.
`configs/gaussian_mixture.py` with {training.in_words(guidance.SETTINGS)}; {trainings}.{changed}"""


def gates(findings: Findings) -> str:
    """A line for each gate and each control."""
    rk4 = max(np.abs(findings.solvers["rk4, 10 steps"][_MEAN]))
    euler = float(np.mean(findings.solvers["euler, 25 steps"][_MEAN]))
    closed_form, rise = max(findings.closed_form), float(np.mean(findings.draws))
    bias = max(np.abs(findings.probes[_IN_ERRORS]))
    excess = [float(np.mean(found["given the class"])) for found in findings.excess.values()]
    falls = all(before > after for before, after in itertools.pairwise(excess))
    levels = findings.uniform_bits
    lines = [
        (rk4 <= 0.002, f"rk4 in 10 steps within 0.002 nats on average: {rk4:.4f}"),
        (euler > 0.1, f"control, euler in 25 steps off by more than 0.1: {euler:+.4f}"),
        (closed_form <= 0.002, f"one Gaussian in closed form within 0.002: {closed_form:.5f}"),
        (bias <= 3.0, f"one probe unbiased within three standard errors: {bias:.2f}"),
        (rise > 0.3, f"control, draws with probes of their own rise by more than 0.3: {rise:.4f}"),
        (abs(levels - 8.0) < 5e-5, f"levels that are equally probable have 8 bits: {levels:.4f}"),
        (
            0.2 <= excess[-1] <= 0.8,
            f"the trained network 0.2 to 0.8 nats from the truth: {excess[-1]:.4f}",
        ),
        (falls, f"falling with training: {', '.join(f'{value:.2f}' for value in excess)}"),
    ]
    return "\n".join(f"- {'met' if met else 'missed'}: {words}" for met, words in lines)


def _plot(findings: Findings) -> np.ndarray:
    """Plots the errors of the solvers, and the distance of the networks from the truth."""
    plt = plots.pyplot()
    figure, (errors, networks) = plt.subplots(1, 2, figsize=(12, 4))
    means = [np.mean(values[_MEAN]) for values in findings.solvers.values()]
    errors.barh(list(findings.solvers), means)
    errors.invert_yaxis()
    errors.set_xlabel("mean error of log p, nats a point")
    for column in _DENSITIES:
        values = [np.mean(of_training[column]) for of_training in findings.excess.values()]
        networks.plot(list(findings.excess), values, "o-", label=column)
    networks.set_yscale("log")
    networks.set_ylabel("nats a point below the truth")
    networks.legend()
    for axis in (errors, networks):
        axis.grid(alpha=0.3)
    return plots.render(figure)
