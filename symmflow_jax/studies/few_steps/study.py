"""Study of few steps: images in one pass by a flow map, with recognition kept.

    python -m symmflow_jax.studies.few_steps --workdir=runs/few_steps

The data are the mixture of Gaussians whose conditional distributions are known. A network of two
clocks, the teacher, generates in many passes. Flow maps begin with its weights or with nothing,
and jump. Two controls must be bad: a span that is not trained, and a map without the loss of
recognition, which forgets how to read.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from symmflow_jax.data.sources.synthetic import gaussian_mixture
from symmflow_jax.flow.flow_map import FLOW_MAP, MapStep
from symmflow_jax.flow.solvers.runge_kutta import EULER, HEUN, RungeKutta
from symmflow_jax.metrics.energy_distance import energy_distance
from symmflow_jax.runs import markdown
from symmflow_jax.runs.pictures import plots
from symmflow_jax.studies import report, training
from symmflow_jax.studies.report import Report
from symmflow_jax.studies.training import TrainedSeeds

_logger = logging.getLogger("symmflow_jax.studies.few_steps")

SEEDS = (0, 1, 2)
PASSES = (1, 2, 4, 8, 25)
POINTS_OF_A_CLASS = 300

SETTINGS: dict[str, Any] = {
    "semantics.encoding": "onehot",
    "network.channels": 128,
    "train.batch_size": 256,
    "train.peak_learning_rate": 2e-3,
    "train.num_epochs": 30.0,
    "train.clock": "mixed",
    **training.clock_shares(0.0, 0.5, 0.0, 0.5),
    "train.prob_at_one": 0.5,
    "train.image_weight": 0.9,
}
"""Changes of `configs/gaussian_mixture.py` in all trainings."""

_MAP = {"train.objective": "flow_map", "train.num_epochs": 60.0}


class Variant(NamedTuple):
    """A training of a flow map.

    Attributes:
        changes: config values on top of `SETTINGS`.
        begins: whether it begins with the weights of the teacher.
        is_taught: whether it learns the map of the teacher's velocity, and not that of the data.
    """

    changes: Mapping[str, Any]
    begins: bool = True
    is_taught: bool = False


MAP, CLOSEST, NO_LOSS, UNTRAINED = (
    "map, from the teacher",
    "map of the teacher's velocity",
    "map without the loss of recognition",
    "span that is not trained",
)
VARIANTS: dict[str, Variant] = {
    MAP: Variant(_MAP),
    CLOSEST: Variant(_MAP, is_taught=True),
    "map, from nothing": Variant(_MAP, begins=False),
    NO_LOSS: Variant(_MAP | {"train.image_weight": 1.0}),
    UNTRAINED: Variant(
        _MAP
        | {
            "train.num_epochs": 1e-3,
            "train.warmup_epochs": 0.0,
            "train.peak_learning_rate": 1e-6,
        }
    ),
}
"""The flow maps by their names in the report; the last two are controls."""

EULER_ROW, HEUN_ROW = "teacher, Euler", "teacher, Heun"
ONE_STEP_GATE, EULER_GATE, ACCURACY_GATE = 0.008, 1.0, 0.01

BySeed = dict[Any, list[float]]
"""Values of all seeds by column."""


class Findings(NamedTuple):
    """Results of all networks.

    Attributes:
        distances: energy distances to exact samples of the classes, by row and number of passes.
        accuracies: accuracy of one-step recognition of all seeds, by network.
        floor: energy distances between two exact samples of the classes.
    """

    distances: dict[str, BySeed]
    accuracies: dict[str, list[float]]
    floor: list[float]


def study(
    seeds: Sequence[int] = SEEDS,
    changes: Mapping[str, Any] | None = None,
    num_points: int = POINTS_OF_A_CLASS,
) -> Report:
    """Trains and measures the teacher and all maps.

    Args:
        seeds: seeds of points, parameters and noise.
        changes: config values on top of `SETTINGS`.
        num_points: number of generated and of exact points of each class.
    """
    settings = SETTINGS | dict(changes or {})
    experiment = training.experiment_of("configs/gaussian_mixture.py", settings)
    exact = np.stack([exact_points(seed, num_points) for seed in seeds])
    test = training.examples(experiment, seeds, train=False)
    teacher = training.train(experiment, seeds)
    distances = {
        EULER_ROW: measure(teacher, exact, EULER),
        HEUN_ROW: measure(teacher, exact, HEUN),
    }
    networks = {"teacher": teacher}
    for name, variant in VARIANTS.items():
        _logger.info("%s", name)
        networks[name] = training.train(
            experiment.changed(variant.changes),
            seeds,
            teacher if variant.begins else None,
            teacher if variant.is_taught else None,
        )
        distances[name] = measure(networks[name], exact, FLOW_MAP)
    accuracies = {
        name: jnp.mean(
            trained.predict_semantics(test.points, 1).labels == test.labels, axis=1
        ).tolist()
        for name, trained in networks.items()
    }
    floor = [
        _mean_distance(exact_points(seed, num_points, other), points)
        for seed, points in zip(seeds, exact, strict=True)
        for other in (1, 2, 3, 4)
    ]
    findings = Findings(distances, accuracies, floor)
    return Report(_text(findings, settings, num_points, seeds), _plot(findings))


def measure(trained: TrainedSeeds, exact: np.ndarray, method: RungeKutta | MapStep) -> BySeed:
    """Energy distances of generated points to exact ones, by number of passes.

    A method that cannot divide a number of passes among its steps has no value there.

    Args:
        trained: the networks.
        exact: exact points of the classes, float `[seeds, classes, count, n]`.
        method: the method of each step.
    """
    num_seeds, num_classes, count, _ = exact.shape
    labels = np.tile(np.repeat(np.arange(num_classes, dtype=np.int32), count), (num_seeds, 1))
    found: BySeed = {}
    for passes in PASSES:
        num_steps, rest = divmod(passes, len(method.weights))
        if rest and num_steps * len(method.weights) < 24:
            continue
        made = np.asarray(trained.generate(jnp.asarray(labels), num_steps, method=method))
        pairs = zip(made.reshape(exact.shape), exact, strict=True)
        found[passes] = [_mean_distance(points, real) for points, real in pairs]
        _logger.info("%d passes: %s", passes, np.round(found[passes], 4))
    return found


def exact_points(seed: int, count: int, other: int = 0) -> np.ndarray:
    """Exact points `[classes, count, n]`; another `other` gives other points."""
    labels = np.repeat(np.arange(gaussian_mixture.NUM_CLASSES), count)
    points = gaussian_mixture.draw(np.random.default_rng((seed, other, 2)), labels)
    return points.reshape(gaussian_mixture.NUM_CLASSES, count, -1)


def _mean_distance(made: np.ndarray, exact: np.ndarray) -> float:
    """The energy distance of points `[classes, count, n]`, averaged over the classes."""
    return float(np.mean([energy_distance(*pair) for pair in zip(made, exact, strict=True)]))


def gates(findings: Findings) -> list[str]:
    """Lines that say whether each expectation is met."""
    distances = {
        row: {passes: float(np.mean(values)) for passes, values in cells.items()}
        for row, cells in findings.distances.items()
    }
    accuracies = {name: float(np.mean(values)) for name, values in findings.accuracies.items()}
    noise = 2.0 * float(np.std(findings.floor, ddof=1))
    teacher, map_, untrained = (distances[row] for row in (EULER_ROW, MAP, UNTRAINED))
    jumps = [map_[passes] for passes in PASSES if passes <= 8]
    rise = max(later - earlier for earlier, later in zip(jumps, jumps[1:], strict=False))
    first = PASSES[0]
    checks = [
        (
            f"one pass of the map at most {ONE_STEP_GATE}, where Euler's is above {EULER_GATE:g}: "
            f"{map_[first]:.4f}, {teacher[first]:.4f}",
            map_[first] <= ONE_STEP_GATE and teacher[first] > EULER_GATE,
        ),
        (
            f"no rise of the map from 1 to 8 passes beyond the noise ({noise:.4f}): {rise:.4f}",
            rise <= noise,
        ),
        (
            f"one-step accuracy of the map not below the teacher's by more than {ACCURACY_GATE}: "
            f"{accuracies[MAP]:.4f}, {accuracies['teacher']:.4f}",
            accuracies[MAP] >= accuracies["teacher"] - ACCURACY_GATE,
        ),
        (
            "control: a span that is not trained is as bad as Euler in one pass: "
            f"{untrained[first]:.4f}",
            abs(untrained[first] - teacher[first]) <= 0.01 * teacher[first],
        ),
        (
            "control: without the loss of recognition the accuracy falls by more than "
            f"{ACCURACY_GATE}: {accuracies[NO_LOSS]:.4f}",
            accuracies[NO_LOSS] < accuracies["teacher"] - ACCURACY_GATE,
        ),
    ]
    return [f"{'met' if is_met else 'MISSED'}: {text}" for text, is_met in checks]


def _text(
    findings: Findings, settings: Mapping[str, Any], num_points: int, seeds: Sequence[int]
) -> str:
    table = report.table_over_seeds("passes", findings.distances, PASSES)
    accuracy = "one-step accuracy"
    accuracies = report.table_over_seeds(
        "network", {name: {accuracy: v} for name, v in findings.accuracies.items()}, [accuracy]
    )
    variants = "\n".join(
        f"- {name}: {training.in_words(variant.changes)}"
        f"{', from the weights of the teacher' if variant.begins else ''}"
        f"{', towards its velocity' if variant.is_taught else ''}"
        for name, variant in VARIANTS.items()
    )
    lines = "\n".join(f"- {line}" for line in gates(findings))
    return f"""# Few steps: a mixture of eight classes in sixteen dimensions

Energy distance between generated and exact points of a class, mean over the classes, by network
passes. Two exact samples: {markdown.mean_and_spread(findings.floor)}. Heun takes two passes a
step; its last column is of 24.

{table}

{accuracies}

{lines}

Means ± standard deviations of seeds {", ".join(map(str, seeds))}; {num_points} generated and as
many exact points of each class.

`configs/gaussian_mixture.py` with {training.in_words(settings)}; and

{variants}"""


def _plot(findings: Findings) -> np.ndarray:
    """Plots distances by passes, with a line for each row."""
    plt = plots.pyplot()
    figure, axis = plt.subplots(figsize=(8, 5))
    floor = max(float(np.mean(findings.floor)), 0.0)
    for name, cells in findings.distances.items():
        means = [max(float(np.mean(values)), 1e-4) for values in cells.values()]
        axis.plot(
            list(cells), means, marker="o", ls="--" if "teacher," in name else "-", label=name
        )
    axis.axhline(max(floor, 1e-4), color="k", ls=":", label="two exact samples")
    plots.plain_log_ticks(axis, PASSES)
    axis.set_yscale("log")
    axis.set_xlabel("network passes")
    axis.set_ylabel("energy distance to p(x | class)")
    axis.grid(alpha=0.3)
    axis.legend()
    return plots.render(figure)
