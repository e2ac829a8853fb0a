"""Study of guidance: distances to known distributions of classes, by guidance weight.

    python -m symmflow_jax.studies.guidance --workdir=runs/guidance

The data are a mixture of eight classes in sixteen dimensions. Generated points of a class are
compared with exact samples by the energy distance, for an under-trained and a well trained
network, with and without guidance and the two parts of CFG-Zero*.
"""

import functools
import itertools
import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from symmflow_jax.data.sources.synthetic import gaussian_mixture
from symmflow_jax.flow.guidance import Guidance
from symmflow_jax.metrics.energy_distance import energy_distance
from symmflow_jax.runs import markdown
from symmflow_jax.runs.pictures import plots
from symmflow_jax.studies import report, training
from symmflow_jax.studies.report import Report
from symmflow_jax.studies.training import TrainedSeeds

_logger = logging.getLogger("symmflow_jax.studies.guidance")

SEEDS = (0, 1, 2)
WEIGHTS = (1.0, 1.25, 1.5, 2.0, 3.0)
NUM_STEPS = 25
POINTS_OF_A_CLASS = 300
UNCONDITIONAL_STEPS = (25, 100)
UNCONDITIONAL_POINTS = 4_000

SETTINGS: dict[str, Any] = {
    "semantics.encoding": "onehot",
    "network.channels": 128,
    "train.batch_size": 256,
    "train.peak_learning_rate": 2e-3,
    "train.clock": "mixed",
    **training.clock_shares(0.0, 0.5, 0.0, 0.5),
    "train.prob_at_one": 0.5,
    "train.image_weight": 0.9,
}
"""Changes of `configs/gaussian_mixture.py` in all variants.

Half of the examples have clean semantics. The others have independent times; half of those have
semantics of pure noise.
"""

TRAININGS: dict[str, dict[str, Any]] = {
    "under-trained": {"train.num_epochs": 2.0, "train.warmup_epochs": 0.2, "train.ema_decay": 0.9},
    "well trained": {"train.num_epochs": 30.0},
}

KINDS: dict[str, dict[str, bool]] = {
    "plain": {},
    "projected": {"project": True},
    "first step still": {"still": True},
    "both (CFG-Zero*)": {"project": True, "still": True},
}

_FLOOR = "two exact samples"
_TIMES_OF_FLOOR = 4  # Repetitions of the floor for each seed, since it is the reference.

ScoresBySeed = dict[str, list[float]]
"""Energy distances of all seeds by the name of a column."""


class Distances(NamedTuple):
    """Energy distances of all variants.

    Attributes:
        conditional: for each training, distances to exact samples of the classes, by guidance
            weight and kind.
        conditional_floor: distances between two exact samples of the classes.
        unconditional: for each training, distances to exact samples of all classes, by steps.
        unconditional_floor: distances between two exact samples of all classes.
    """

    conditional: dict[str, dict[float, ScoresBySeed]]
    conditional_floor: list[float]
    unconditional: dict[str, ScoresBySeed]
    unconditional_floor: list[float]


def study(
    seeds: Sequence[int] = SEEDS,
    changes: Mapping[str, Any] | None = None,
    num_points: int = POINTS_OF_A_CLASS,
    num_unconditional: int = UNCONDITIONAL_POINTS,
) -> Report:
    """Trains and measures all variants.

    Args:
        seeds: seeds of points, parameters and noise.
        changes: config values on top of `SETTINGS` and `TRAININGS`.
        num_points: number of generated and of exact points of each class.
        num_unconditional: number of generated and of exact points of all classes together.
    """
    conditional: dict[str, dict[float, ScoresBySeed]] = {}
    unconditional: dict[str, ScoresBySeed] = {}
    exact = np.stack([_exact_of_classes(seed, num_points) for seed in seeds])
    everything = np.stack([_exact(seed, num_unconditional) for seed in seeds])
    for name, of_training in TRAININGS.items():
        values = SETTINGS | of_training | dict(changes or {})
        trained = training.train(
            training.experiment_of("configs/gaussian_mixture.py", values), seeds
        )
        conditional[name] = _by_weight(trained, exact)
        unconditional[name] = {
            _steps(num_steps): [
                energy_distance(made, real)
                for made, real in zip(
                    np.asarray(trained.sample(num_unconditional, num_steps)),
                    everything,
                    strict=True,
                )
            ]
            for num_steps in UNCONDITIONAL_STEPS
        }
    others = range(1, 1 + _TIMES_OF_FLOOR)
    findings = Distances(
        conditional,
        [
            _mean_distance(_exact_of_classes(seed, num_points, other), real)
            for (seed, real), other in itertools.product(zip(seeds, exact, strict=True), others)
        ],
        unconditional,
        [
            energy_distance(_exact(seed, num_unconditional, other), real)
            for (seed, real), other in itertools.product(
                zip(seeds, everything, strict=True), others
            )
        ],
    )
    sizes = f"{num_points} generated and as many exact points of each class"
    return Report(_text(findings, sizes, num_unconditional, changes, seeds), _plot(findings))


def _by_weight(trained: TrainedSeeds, exact: np.ndarray) -> dict[float, ScoresBySeed]:
    """Mean distances to exact samples of the classes, by guidance weight and kind.

    Args:
        trained: the networks.
        exact: points `[seeds, classes, count, n]`.
    """
    num_seeds, num_classes, count, _ = exact.shape
    labels = np.tile(np.repeat(np.arange(num_classes, dtype=np.int32), count), (num_seeds, 1))

    @functools.cache
    def distances(guidance: Guidance) -> list[float]:
        made = np.asarray(trained.generate(jnp.asarray(labels), NUM_STEPS, guidance))
        pairs = zip(made.reshape(exact.shape), exact, strict=True)
        found = [_mean_distance(points, real) for points, real in pairs]
        _logger.info("guidance of %s: %s", str(guidance) or "none", np.round(found, 4))
        return found

    return {
        weight: {name: distances(_guidance(weight, **parts)) for name, parts in KINDS.items()}
        for weight in WEIGHTS
    }


def _guidance(weight: float, project: bool = False, still: bool = False) -> Guidance:
    """Guidance with the parts of CFG-Zero*; a weight of 1 has no projection."""
    zero_init_until = 1.0 / NUM_STEPS if still else 0.0
    return Guidance(weight, project=project and weight != 1.0, zero_init_until=zero_init_until)


def _mean_distance(made: np.ndarray, exact: np.ndarray) -> float:
    """The energy distance of points `[classes, count, n]`, averaged over the classes."""
    return float(np.mean([energy_distance(*pair) for pair in zip(made, exact, strict=True)]))


def _exact_of_classes(seed: int, count: int, other: int = 0) -> np.ndarray:
    """Exact points `[classes, count, n]`; another `other` gives other points."""
    labels = np.repeat(np.arange(gaussian_mixture.NUM_CLASSES), count)
    points = gaussian_mixture.draw(np.random.default_rng((seed, other, 0)), labels)
    return points.reshape(gaussian_mixture.NUM_CLASSES, count, -1)


def _exact(seed: int, count: int, other: int = 0) -> np.ndarray:
    """Exact points `[count, n]` of random classes; another `other` gives other points."""
    rng = np.random.default_rng((seed, other, 1))
    return gaussian_mixture.draw(rng, rng.integers(gaussian_mixture.NUM_CLASSES, size=count))


def _steps(num_steps: int) -> str:
    return f"{num_steps} steps"


def _text(
    findings: Distances,
    sizes: str,
    num_unconditional: int,
    changes: Mapping[str, Any] | None,
    seeds: Sequence[int],
) -> str:
    tables = "\n\n".join(
        f"## {name.capitalize()}\n\n{report.table_over_seeds('weight', rows, list(KINDS))}"
        for name, rows in findings.conditional.items()
    )
    floor = findings.unconditional_floor
    rows = findings.unconditional | {_FLOOR: {_steps(n): floor for n in UNCONDITIONAL_STEPS[:1]}}
    unconditional = report.table_over_seeds("model", rows, [_steps(n) for n in UNCONDITIONAL_STEPS])
    trainings = "; ".join(
        f"{name} {training.in_words(values)}" for name, values in TRAININGS.items()
    )
    changed = f" Changed: {training.in_words(changes)}." if changes else ""
    return f"""# Guidance: a mixture of eight classes in sixteen dimensions

Energy distance between generated and exact points of a class, mean over the classes; {NUM_STEPS}
Euler steps. Two exact samples: {markdown.mean_and_spread(findings.conditional_floor)}.

{tables}

## Unconditional

Energy distance between points generated without labels and exact ones.

{unconditional}

{_gate(findings)}

Means ± standard deviations of seeds {", ".join(map(str, seeds))} (of two exact samples: over
{len(floor)} pairs); {sizes}, {num_unconditional} of each without labels.

`configs/gaussian_mixture.py` with {training.in_words(SETTINGS)}; {trainings}.{changed}"""


def _gate(findings: Distances) -> str:
    floor = findings.unconditional_floor
    bound = float(np.mean(floor) + 2.0 * np.std(floor, ddof=1))
    return "\n".join(
        f"- {name}, {steps}: {'within' if np.mean(values) <= bound else 'beyond'} the noise of two "
        f"exact samples (their mean and two standard deviations: {bound:.4f})"
        for name, cells in findings.unconditional.items()
        for steps, values in cells.items()
    )


def _plot(findings: Distances) -> np.ndarray:
    """Plots distances by weight, with a panel for each training and a line for each kind."""
    plt = plots.pyplot()
    figure, axes = plt.subplots(1, len(TRAININGS), figsize=(12, 4.5))
    for axis, (name, rows) in zip(axes, findings.conditional.items(), strict=True):
        for kind in KINDS:
            values = np.asarray([cells[kind] for cells in rows.values()])
            style = "--" if "still" in kind or "both" in kind else "-"
            axis.errorbar(
                list(rows), values.mean(axis=1), values.std(axis=1), ls=style, label=kind, capsize=3
            )
        axis.axhline(np.mean(findings.conditional_floor), color="k", ls=":", label=_FLOOR)
        axis.set_title(name)
        axis.set_xlabel("guidance weight")
        axis.set_ylabel("energy distance to p(x | class)")
        axis.grid(alpha=0.3)
        axis.legend()
    return plots.render(figure)


if __name__ == "__main__":
    report.start("guidance", study)
