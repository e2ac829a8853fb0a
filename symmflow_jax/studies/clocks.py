"""Does a clock for each leaf keep recognition and generation right at every number of steps?

    python -m symmflow_jax.studies.clocks --workdir=runs/clocks

Two spirals, which leave no doubt about a point's label. With one clock for both leaves, the
exact flow itself loses labels as steps grow: it keeps the joint law at each time, not the law of
the label given the point. Start it in the folder that holds `configs/`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy import spatial

from symmflow_jax import pictures
from symmflow_jax.studies import report, runs, training
from symmflow_jax.studies.report import Report
from symmflow_jax.studies.training import Examples, Trained

SEEDS = (0, 1, 2)
NUM_STEPS = (1, 2, 5, 10, 20, 50)
GENERATION_STEPS = 25
ACCURACY_GATE, AGREEMENT_GATE = 0.99, 0.98

SETTINGS: dict[str, Any] = {
    "data.eval_size": 4_000,
    "network.channels": 128,
    "train.batch_size": 256,
    "train.num_epochs": 40.0,
    "train.peak_learning_rate": 2e-3,
}
"""What differs from `configs/spirals.py` in all variants."""

VARIANTS: dict[str, dict[str, Any]] = {
    "tied": {},
    "tied, amplitude 8": {"semantics.amplitude": 8.0},
    "free": {"train.clock": "free"},
    "mixed": {"train.clock": "mixed", "train.clock_shares": (0.0, 0.2, 0.4, 0.4)},
}

_AGREEMENT = f"agreement, {GENERATION_STEPS} steps"

Scores = dict[str, list[float]]
"""Values of all seeds by the name of a row."""


def study(seeds: Sequence[int] = SEEDS, changes: Mapping[str, Any] | None = None) -> Report:
    """Trains and measures all variants.

    Args:
        seeds: origins of points, parameters and noise.
        changes: config values on top of `SETTINGS`.
    """
    settings = SETTINGS | dict(changes or {})
    scores, generated = {}, {}
    for name, variant in VARIANTS.items():
        config = runs.config_of("configs/spirals.py", settings | variant)
        trained = training.train(config, seeds)
        test = training.examples(config, seeds, train=False)
        points = trained.generate(test.labels, GENERATION_STEPS)
        generated[name] = np.asarray(points[0]), np.asarray(test.labels[0])
        known = training.examples(config, seeds, train=True)
        scores[name] = _accuracies(trained, test) | {
            _AGREEMENT: agreement(np.asarray(points), np.asarray(test.labels), known)
        }
    return Report(_text(scores, settings, seeds), _plot(scores, generated))


def agreement(points: np.ndarray, labels: np.ndarray, known: Examples) -> list[float]:
    """The share of points `[seeds, count, n]` that lie beside a real one of their own label.

    No network has a say in it: the label of a point is that of the nearest real one.
    """
    shares = []
    for made, wanted, real, real_labels in zip(points, labels, *known, strict=True):
        nearest = spatial.cKDTree(np.asarray(real)).query(made)[1]
        shares.append(float(np.mean(np.asarray(real_labels)[nearest] == wanted)))
    return shares


def _accuracies(trained: Trained, test: Examples) -> Scores:
    rows = {}
    for num_steps in NUM_STEPS:
        labels = trained.recognize(test.points, num_steps).labels
        rows[_row(num_steps)] = jnp.mean(labels == test.labels, axis=1).tolist()
    return rows


def _row(num_steps: int) -> str:
    return f"accuracy, {num_steps} step{'s' if num_steps > 1 else ''}"


def _text(scores: dict[str, Scores], settings: Mapping[str, Any], seeds: Sequence[int]) -> str:
    by_row = {
        row: {name: cells[row] for name, cells in scores.items()}
        for row in next(iter(scores.values()))
    }
    table = runs.table_over_seeds("Euler steps", by_row, list(scores))
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


def _gate(cells: Scores) -> str:
    means = {row: float(np.mean(values)) for row, values in cells.items()}
    missed = [
        f"{row} {mean:.4f}"
        for row, mean in means.items()
        if mean < (AGREEMENT_GATE if row == _AGREEMENT else ACCURACY_GATE)
    ]
    return f"missed by {', '.join(missed)}" if missed else "met"


def _plot(
    scores: dict[str, Scores], generated: dict[str, tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Accuracy by steps, beside the first seed's generated points of each variant."""
    plt = pictures.pyplot()
    figure, axes = plt.subplots(1, 1 + len(scores), figsize=(4 * (1 + len(scores)), 4))
    for name, cells in scores.items():
        values = np.asarray([cells[_row(num_steps)] for num_steps in NUM_STEPS])
        axes[0].errorbar(NUM_STEPS, values.mean(axis=1), values.std(axis=1), label=name, capsize=3)
    axes[0].set_xscale("log")
    axes[0].set_xticks(NUM_STEPS, [str(num_steps) for num_steps in NUM_STEPS])
    axes[0].set_xlabel("Euler steps")
    axes[0].set_ylabel("accuracy")
    axes[0].grid(alpha=0.3)
    axes[0].legend()
    for axis, (name, (points, labels)) in zip(axes[1:], generated.items(), strict=True):
        axis.scatter(*points.T, c=labels, s=2, cmap="coolwarm")
        axis.set_title(f"generated, {name}")
        axis.set_aspect("equal")
        axis.set(xlim=(-1.6, 1.6), ylim=(-1.6, 1.6))
    return pictures.render(figure)


if __name__ == "__main__":
    report.start("clocks", study)
