"""Study of clocks: accuracy of recognition and generation by number of steps.

    python -m symmflow_jax.studies.clocks --workdir=runs/clocks

The data are two spirals, where a point determines its label. With one clock for both components,
even the exact flow loses labels as the number of steps grows: it preserves the joint distribution
at each time, not the distribution of the label given the point.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from scipy import spatial

from symmflow_jax.runs.pictures import plots
from symmflow_jax.studies import report, training
from symmflow_jax.studies.report import Report
from symmflow_jax.studies.training import Examples, TrainedSeeds

SEEDS = (0, 1, 2)
NUM_STEPS = (1, 2, 5, 10, 20, 50)
GENERATION_STEPS = 25
ACCURACY_GATE, AGREEMENT_GATE = 0.99, 0.98

SETTINGS: dict[str, Any] = {
    "network.channels": 128,
    "train.batch_size": 256,
    "train.num_epochs": 50.0,
    "train.peak_learning_rate": 3e-3,
}
"""Changes of `configs/spirals.py` in all variants."""

VARIANTS: dict[str, dict[str, Any]] = {
    "tied": {},
    "tied, label scale 8": {"semantics.label_scale": 8.0},
    "independent": {"train.clock": "independent"},
    "mixed": {
        "train.clock": "mixed",
        **training.clock_shares(0.0, 0.1, 0.2, 0.7),
        "train.prob_at_one": 0.1,
    },
}

_AGREEMENT = f"agreement, {GENERATION_STEPS} steps"

ScoresBySeed = dict[str, list[float]]
"""Values of all seeds by the name of a row."""


class VariantFindings(NamedTuple):
    """Results of one variant.

    Attributes:
        scores: accuracies and agreement, in [0, 1].
        points: generated points of the first seed, float32 `[count, 2]`.
        labels: the labels that they were generated from, int32 `[count]`.
    """

    scores: ScoresBySeed
    points: np.ndarray
    labels: np.ndarray


def study(seeds: Sequence[int] = SEEDS, changes: Mapping[str, Any] | None = None) -> Report:
    """Trains and measures all variants.

    Args:
        seeds: seeds of points, parameters and noise.
        changes: config values on top of `SETTINGS`.
    """
    settings = SETTINGS | dict(changes or {})
    return assemble(
        {name: measure(settings | variant, seeds) for name, variant in VARIANTS.items()},
        settings,
        seeds,
    )


def measure(settings: Mapping[str, Any], seeds: Sequence[int]) -> VariantFindings:
    """Trains and measures one variant."""
    experiment = training.experiment_of("configs/spirals.py", settings)
    trained = training.train(experiment, seeds)
    test = training.examples(experiment, seeds, train=False)
    points, labels = np.asarray(trained.generate(test.labels, GENERATION_STEPS)), test.labels
    real = training.examples(experiment, seeds, train=True)
    scores = _accuracies(trained, test) | {_AGREEMENT: agreement(points, np.asarray(labels), real)}
    return VariantFindings(scores, points[0], np.asarray(labels[0]))


def assemble(
    findings: Mapping[str, VariantFindings], settings: Mapping[str, Any], seeds: Sequence[int]
) -> Report:
    """Makes the report of all variants by name; the settings are common to all of them."""
    return Report(
        _text({k: v.scores for k, v in findings.items()}, settings, seeds), _plot(findings)
    )


def agreement(points: np.ndarray, labels: np.ndarray, known: Examples) -> list[float]:
    """Share of generated points whose nearest real point has their label, for each seed.

    It needs no classifier.

    Args:
        points: generated points, float `[seeds, count, n]`.
        labels: the labels that they were generated from, int `[seeds, count]`.
        known: real points with their labels.
    """
    shares = []
    for made, wanted, real, real_labels in zip(points, labels, *known, strict=True):
        nearest = spatial.cKDTree(np.asarray(real)).query(made)[1]
        shares.append(float(np.mean(np.asarray(real_labels)[nearest] == wanted)))
    return shares


def _accuracies(trained: TrainedSeeds, test: Examples) -> ScoresBySeed:
    rows = {}
    for num_steps in NUM_STEPS:
        labels = trained.predict_semantics(test.points, num_steps).labels
        rows[_row(num_steps)] = jnp.mean(labels == test.labels, axis=1).tolist()
    return rows


def _row(num_steps: int) -> str:
    return f"accuracy, {num_steps} step{'s' if num_steps > 1 else ''}"


def _text(
    scores: dict[str, ScoresBySeed], settings: Mapping[str, Any], seeds: Sequence[int]
) -> str:
    by_row = {
        row: {name: cells[row] for name, cells in scores.items()}
        for row in next(iter(scores.values()))
    }
    table = report.table_over_seeds("Euler steps", by_row, list(scores))
    gates = "\n".join(f"- {name}: {_gate(cells)}" for name, cells in scores.items())
    variants = "\n".join(
        f"- {name}: {training.in_words(variant)}" for name, variant in VARIANTS.items() if variant
    )
    return f"""# Clocks: two spirals

{table}

Means ± standard deviations of seeds {", ".join(map(str, seeds))}. Agreement: share of generated
points whose nearest real one has the label that they were made for.

The gates (accuracy at least {ACCURACY_GATE:.0%} at each number of steps, agreement at least
{AGREEMENT_GATE:.0%}):

{gates}

`configs/spirals.py` with {training.in_words(settings)}; and

{variants}"""


def _gate(cells: ScoresBySeed) -> str:
    means = {row: float(np.mean(values)) for row, values in cells.items()}
    missed = [
        f"{row} ({mean:.4f})"
        for row, mean in means.items()
        if mean < (AGREEMENT_GATE if row == _AGREEMENT else ACCURACY_GATE)
    ]
    return f"missed at {'; '.join(missed)}" if missed else "met"


def _plot(findings: Mapping[str, VariantFindings]) -> np.ndarray:
    """Plots accuracy by number of steps, and the first seed's generated points of each variant."""
    plt = plots.pyplot()
    num_panels = 1 + len(findings)
    figure, axes = plt.subplots(1, num_panels, figsize=(4 * num_panels, 4))
    for name, of_variant in findings.items():
        values = np.asarray([of_variant.scores[_row(num_steps)] for num_steps in NUM_STEPS])
        axes[0].errorbar(NUM_STEPS, values.mean(axis=1), values.std(axis=1), label=name, capsize=3)
    plots.plain_log_ticks(axes[0], NUM_STEPS)
    axes[0].set_xlabel("Euler steps")
    axes[0].set_ylabel("accuracy")
    axes[0].grid(alpha=0.3)
    axes[0].legend(loc="center right")
    for axis, (name, (_, points, labels)) in zip(axes[1:], findings.items(), strict=True):
        axis.scatter(*points.T, c=labels, s=2, cmap="coolwarm")
        axis.set_title(f"generated, {name}")
        axis.set_aspect("equal")
        axis.set(xlim=(-1.6, 1.6), ylim=(-1.6, 1.6))
    return plots.render(figure)


if __name__ == "__main__":
    report.start("clocks", study)
