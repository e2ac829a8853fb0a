"""Study of probability paths: the straight path beside that of diffusion.

    python -m symmflow_jax.studies.paths --workdir=runs/paths

Flow matching of points alone, on two spirals, as in the comparison of arXiv 2210.02747 (section
6.1 and figures 4 and 7): network passes of the adaptive solver, error of few passes against the
adaptive solution of the same noise, distance of the samples to the data, and likelihood.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.data.batch import Points
from symmflow_jax.flow import keys
from symmflow_jax.flow.keys import Stream
from symmflow_jax.flow.solvers import fixed_steps
from symmflow_jax.flow.solvers.adaptive import DormandPrince
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.methods.likelihood import Density
from symmflow_jax.methods.symmflow import Sampled, SymmFlow
from symmflow_jax.methods.weights import Weights
from symmflow_jax.metrics.energy_distance import energy_distance
from symmflow_jax.runs.pictures import plots
from symmflow_jax.studies import report, training
from symmflow_jax.studies.report import Report
from symmflow_jax.studies.training import TrainedSeeds

SEEDS = (0, 1, 2)
NUM_SAMPLES = 1_000
PASSES = (4, 8, 10, 20)
"""Network passes of the midpoint method, as in figure 4 of the paper."""

TOLERANCES = (1e-3, 1e-5)

SETTINGS: dict[str, Any] = {
    "network.channels": 128,
    "train.batch_size": 256,
    "train.num_epochs": 160.0,
    "train.peak_learning_rate": 2e-3,
    "train.clock": "unconditional",
    "train.image_weight": 1.0,
    "eval.metrics": ("sample_quality", "likelihood", "objective"),
}
"""Changes of `configs/spirals.py` in all variants."""

VARIANTS: dict[str, dict[str, Any]] = {
    "straight": {"train.path": "linear"},
    "diffusion": {"train.path": "diffusion", "train.sigma_min": 1e-3},
    "straight, untrained": {
        "train.path": "linear",
        "train.num_epochs": 0.02,
        "train.warmup_epochs": 0.01,
        "train.ema_decay": 0.5,
    },
}
"""The last one is the control."""

_NLL, _DISTANCE, _ERROR = "nats a point", "energy distance", "error"

Values = dict[str, list[float]]
"""Values of all seeds by the name of a column."""


class VariantFindings(NamedTuple):
    """Results of one variant.

    Attributes:
        adaptive: passes of the adaptive solver by tolerance, its energy distance, and nats a point.
        distances: energy distance to real points by passes of the midpoint method.
        errors: root mean square distance from the adaptive solution by passes.
        samples: points of the first seed by passes, float32 `[count, 2]`.
    """

    adaptive: Values
    distances: Values
    errors: Values
    samples: dict[str, np.ndarray]


def study(
    seeds: Sequence[int] = SEEDS,
    changes: Mapping[str, Any] | None = None,
    num_samples: int = NUM_SAMPLES,
) -> Report:
    """Trains and measures all variants.

    Args:
        seeds: seeds of points, parameters and noise.
        changes: config values on top of `SETTINGS`; those of a variant count more.
        num_samples: number of generated points, and of real ones beside them.
    """
    found = {
        name: measure(SETTINGS | dict(changes or {}) | variant, seeds, num_samples)
        for name, variant in VARIANTS.items()
    }
    return Report(_text(found, num_samples, changes, seeds), _plot(found))


def measure(settings: Mapping[str, Any], seeds: Sequence[int], num_samples: int) -> VariantFindings:
    """Trains and measures one variant."""
    experiment = training.experiment_of("configs/spirals.py", settings)
    trained = training.train(experiment, seeds)
    real = np.asarray(training.examples(experiment, seeds, train=False).points)[:, :num_samples]
    adaptive: Values = {}
    for tolerance in TOLERANCES:
        exact, nfe = _samples(trained, num_samples, DormandPrince(tolerance))
        adaptive[f"passes at {tolerance:g}"] = nfe.mean(axis=1).tolist()
    adaptive[_DISTANCE] = _distances(exact, real)
    adaptive[_NLL] = _nats(trained, real)
    distances, errors, pictures = {}, {}, {}
    for passes in PASSES:
        made, _ = _samples(trained, num_samples, fixed_steps.midpoint(passes // 2))
        distances[_passes(passes)] = _distances(made, real)
        squares = np.square(made - exact).sum(axis=-1)
        errors[_passes(passes)] = np.sqrt(squares.mean(axis=1)).tolist()
        pictures[_passes(passes)] = made[0]
    return VariantFindings(adaptive, distances, errors, pictures | {"adaptive": exact[0]})


def _passes(number: int) -> str:
    return f"{number} passes"


def _evaluation_keys(seeds: Sequence[int]) -> jax.Array:
    return jnp.stack([keys.of_seed(seed, Stream.EVALUATION) for seed in seeds])


def _samples(trained: TrainedSeeds, count: int, solve: Solve) -> tuple[np.ndarray, np.ndarray]:
    """Points `[seeds, count, n]`, of the same noise for all solvers; passes `[seeds, count]`."""
    made = _sample(trained.method, trained.weights, _evaluation_keys(trained.seeds), count, solve)
    return np.asarray(made[0]), np.asarray(made[1])


@functools.partial(jax.jit, static_argnames=("method", "count", "solve"))
def _sample(
    method: SymmFlow, weights: Weights, evaluation_keys: jax.Array, count: int, solve: Solve
) -> tuple[jax.Array, jax.Array]:
    def of_seed(weights: Weights, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        example_keys = keys.example_keys(keys.stream(key, Stream.SAMPLING), jnp.arange(count))
        made = method.sample(weights, example_keys, solve, Sampled.IMAGES)
        return made.state.image, made.nfe

    return jax.vmap(of_seed)(weights, evaluation_keys)


def _distances(made: np.ndarray, real: np.ndarray) -> list[float]:
    return [energy_distance(*pair) for pair in zip(made, real, strict=True)]


def _nats(trained: TrainedSeeds, real: np.ndarray) -> list[float]:
    """The negative log density of real points in nats, for each seed."""
    labels = jnp.zeros(real.shape[:2], jnp.int32)
    found = jax.vmap(
        lambda weights, key, points, labels: (
            predictions.log_likelihood(
                trained.method,
                weights,
                key,
                jnp.arange(len(points)),
                Points(points),
                labels,
                DormandPrince(1e-4),
                Density.IMAGE,
            ).nats
        )
    )(trained.weights, _evaluation_keys(trained.seeds), jnp.asarray(real), labels)
    return (-np.mean(np.asarray(found, np.float64), axis=1)).tolist()


def _text(
    found: Mapping[str, VariantFindings],
    num_samples: int,
    changes: Mapping[str, Any] | None,
    seeds: Sequence[int],
) -> str:
    adaptive = {name: of_variant.adaptive for name, of_variant in found.items()}
    distances = {name: of_variant.distances for name, of_variant in found.items()}
    errors = {name: of_variant.errors for name, of_variant in found.items()}
    columns = [_passes(passes) for passes in PASSES]
    first = next(iter(adaptive.values()))
    changed = f" Changed: {training.in_words(changes)}." if changes else ""
    variants = "\n".join(f"- {n}: {training.in_words(v)}" for n, v in VARIANTS.items())
    return f"""# Paths: flow matching of two spirals

## The adaptive solver

Network passes of a sample at two tolerances; energy distance of the samples at the finer one to
real points; negative log density of real points.

{report.table_over_seeds("path", adaptive, list(first))}

## Few passes: energy distance to real points

By the midpoint method.

{report.table_over_seeds("path", distances, columns)}

## Few passes: distance from the adaptive solution

Root mean square over samples of the same noise.

{report.table_over_seeds("path", errors, columns)}

## Straight against diffusion

{comparisons(found)}

Means ± standard deviations of seeds {", ".join(map(str, seeds))}; {num_samples} points each.
`configs/spirals.py` with {training.in_words(SETTINGS)}; and

{variants}{changed}"""


def comparisons(found: Mapping[str, VariantFindings]) -> str:
    """A line for each figure in which the straight path should be ahead, and for the control.

    Figures within two standard errors over the seeds are even.
    """
    straight, diffusion, untrained = (found[name] for name in VARIANTS)
    finest = f"passes at {TOLERANCES[-1]:g}"
    pairs = {
        f"{finest} of the adaptive solver": (straight.adaptive[finest], diffusion.adaptive[finest]),
        _NLL: (straight.adaptive[_NLL], diffusion.adaptive[_NLL]),
    }
    for passes in map(_passes, PASSES):
        pairs[f"error in {passes}"] = straight.errors[passes], diffusion.errors[passes]
        pairs[f"energy distance in {passes}"] = (
            straight.distances[passes],
            diffusion.distances[passes],
        )
    lines = []
    for name, (ours, theirs) in pairs.items():
        figures = f"{np.mean(ours):.4f} against {np.mean(theirs):.4f}"
        lines.append(f"- {_standing(ours, theirs)}: {name}, {figures}")
    control, trained = (float(np.mean(f.adaptive[_DISTANCE])) for f in (untrained, straight))
    met = "met" if control > 10.0 * max(trained, 1e-3) else "missed"
    lines.append(
        f"- {met}: control, an untrained network is ten times as far from the data: {control:.4f} "
        f"against {trained:.4f}"
    )
    return "\n".join(lines)


def _standing(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """If the first values are lower by more than two standard errors over the seeds, or higher."""
    differences = np.asarray(theirs) - np.asarray(ours)
    error = np.std(differences, ddof=1) / len(differences) ** 0.5 if len(differences) > 1 else 0.0
    mean = float(np.mean(differences))
    if abs(mean) <= 2.0 * error:
        return "even"
    return "ahead" if mean > 0 else "behind"


def _plot(found: Mapping[str, VariantFindings]) -> np.ndarray:
    """Plots the first seed's samples by passes, a row for each variant."""
    plt = plots.pyplot()
    columns = list(next(iter(found.values())).samples)
    size = (3 * len(columns), 3 * len(found))
    figure, axes = plt.subplots(len(found), len(columns), figsize=size, sharex=True, sharey=True)
    for row, (name, of_variant) in zip(axes, found.items(), strict=True):
        for axis, column in zip(row, columns, strict=True):
            axis.scatter(*of_variant.samples[column].T, s=2)
            axis.set_title(f"{name}, {column}", fontsize=8)
            axis.set(aspect="equal", xlim=(-1.8, 1.8), ylim=(-1.8, 1.8))
    return plots.render(figure)
