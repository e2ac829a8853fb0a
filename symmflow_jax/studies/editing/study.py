"""Study of editing: what an edit keeps, and what it makes.

    python -m symmflow_jax.studies.editing --run=runs/shapes --workdir=runs/editing

Regions, inversions and swaps of classes are measured on the Gaussian mixture with its exact
velocity, and edits of scenes with a trained network.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from symmflow_jax.data.sources.synthetic import gaussian_mixture
from symmflow_jax.runs import markdown
from symmflow_jax.runs.pictures import plots
from symmflow_jax.studies import report, training
from symmflow_jax.studies.editing import conditionals, mixture, scenes
from symmflow_jax.studies.editing.mixture import RoundTrip, Size
from symmflow_jax.studies.editing.scenes import AGREEMENT, AT_KEPT, COLUMNS, PASSES, RMSE
from symmflow_jax.studies.report import Report

SEEDS = (0, 1, 2)
FULL = Size()

AGREEMENT_GATE, RMSE_GATE, GENERATED_GATE = 0.03, 0.06, 0.25

UNKNOWN = gaussian_mixture.POINT_SIZE - conditionals.NUM_KNOWN
"""Number of the coordinates that are found."""

BySeed = dict[str, dict[Any, list[float]]]
"""Values of all seeds, by row and column."""


class Findings(NamedTuple):
    """Results of the study.

    Attributes:
        by_passes: energy distances to the exact conditional, by method and passes.
        by_inner: the same by method and number of repeats or inner steps.
        swaps: distances to the new class and of the way there, by method.
        round_trips: passes and errors on the mixture, for each seed.
        rows: scores of edited scenes, by the way to edit.
        scene_trips: passes and errors of round trips of scenes.
        refusal: what is said to a run of one clock.
    """

    by_passes: BySeed
    by_inner: BySeed
    swaps: BySeed
    round_trips: list[dict[str, list[RoundTrip]]]
    rows: dict[str, scenes.Row]
    scene_trips: dict[str, list[RoundTrip]]
    refusal: str


def study(
    run: str = "",
    seeds: Sequence[int] = SEEDS,
    size: Size = FULL,
    changes: Mapping[str, Any] | None = None,
    num_scenes: int = scenes.NUM_SCENES,
) -> Report:
    """Measures the mixture and the scenes.

    Args:
        run: folder of a run of `configs/shapes.py`; "" trains a small network first.
        seeds: seeds of the mixture's points and noise.
        size: how much is measured on the mixture.
        changes: config values on top of `scenes.SETTINGS`, for the training.
        num_scenes: number of scenes.
    """
    model = scenes.model_of(run, changes)
    drawn = scenes.draw(num_scenes)
    rows = scenes.table(model, drawn)
    of_regions = [mixture.regions(seed, size) for seed in seeds]
    findings = Findings(
        _by_seed([first for first, _ in of_regions]),
        _by_seed([second for _, second in of_regions]),
        _by_seed([mixture.swaps(seed, size) for seed in seeds]),
        [mixture.round_trips(seed, size) for seed in seeds],
        rows,
        scenes.round_trips(model, scenes.draw(min(num_scenes, 16))),
        scenes.refusal(),
    )
    trained = f"the run {run}" if run else f"own, {training.in_words(scenes.SETTINGS)}"
    picture = scenes.picture(model, scenes.draw(min(num_scenes, 10), seed=1))
    text = _text(findings, seeds, size, f"{trained}, {model.step} steps", num_scenes)
    return Report(text, _plot(findings, picture))


def _by_seed(tables: Sequence[mixture.Table]) -> BySeed:
    return {
        row: {column: [table[row][column] for table in tables] for column in cells}
        for row, cells in tables[0].items()
    }


def gates(findings: Findings) -> list[str]:
    """Lines that say whether each expectation is met."""
    rows, mean = findings.rows, _means(findings.by_passes)
    made, edited, kept = (rows[name] for name in (scenes.GENERATED, scenes.EDITED, scenes.KEPT))
    same = rows[scenes.SAME]
    methods = (mixture.REPAINTED, mixture.SETTLED)
    others = {name: mean[name] for name in methods}
    inner = _means(findings.by_inner)
    refused = "train with 'independent'" in findings.refusal
    checks = [
        (
            f"agreement of FlowEdit not below generation's by more than {AGREEMENT_GATE}: "
            f"{edited[AGREEMENT]:.3f}, {made[AGREEMENT]:.3f}",
            edited[AGREEMENT] >= made[AGREEMENT] - AGREEMENT_GATE,
        ),
        (
            f"RMSE away from the change at most {RMSE_GATE}, where generation's is at least "
            f"{GENERATED_GATE}: {edited[RMSE]:.3f}, {made[RMSE]:.3f}",
            edited[RMSE] <= RMSE_GATE and made[RMSE] >= GENERATED_GATE,
        ),
        (
            f"kept pixels are those of the photo: RMSE {kept[AT_KEPT]:.6f}",
            kept[AT_KEPT] == 0.0,
        ),
        (
            f"control: the same mask returns the photo: RMSE {same[AT_KEPT]:.6f}",
            same[AT_KEPT] == 0.0,
        ),
        (f"control: a run of one clock is refused: {findings.refusal}", refused),
        (
            "simple replacement is the worst way to fill a region at equal passes: "
            + "; ".join(
                f"{passes}: {mean[mixture.REPLACED][passes]:.4f} beside "
                + ", ".join(f"{values[passes]:.4f}" for values in others.values())
                for passes in mixture.BUDGETS
            ),
            all(
                mean[mixture.REPLACED][passes] > max(v[passes] for v in others.values())
                for passes in mixture.BUDGETS
            ),
        ),
        *(
            (
                f"falling with {name}: {', '.join(f'{v:.4f}' for v in values.values())}",
                all(before > after for before, after in itertools.pairwise(values.values())),
            )
            for name, values in inner.items()
        ),
    ]
    return [f"{'met' if is_met else 'MISSED'}: {text}" for text, is_met in checks]


def _means(table: BySeed) -> dict[str, dict[Any, float]]:
    return {
        row: {column: float(np.mean(values)) for column, values in cells.items()}
        for row, cells in table.items()
    }


def _text(
    findings: Findings, seeds: Sequence[int], size: Size, trained: str, num_scenes: int
) -> str:
    scores = markdown.table(
        ["way", *COLUMNS],
        [
            [name, *(_cell(column, row[column]) for column in COLUMNS)]
            for name, row in findings.rows.items()
        ],
    )
    lines = "\n".join(f"- {line}" for line in gates(findings))
    return f"""# Editing

## Scenes whose shapes all move by {scenes.SHIFT} pixels

{num_scenes} scenes; the network: {trained}. RMSE is of signals in [-1, 1]; "away" is
{scenes.NEAR + 1} pixels and more from the change. The step across the border of the changed region
counts neighbours of one class, in units of such steps in the photos.

{scores}

## Regions of points of the mixture, with its exact velocity

Energy distance to the exact conditional of {UNKNOWN} coordinates, given the class and the other
coordinates, by passes.

{report.table_over_seeds("method", findings.by_passes, mixture.BUDGETS)}

By the number of repeats or inner steps, at {mixture.NUM_STEPS} steps of Euler.

{report.table_over_seeds("method", findings.by_inner, mixture.INNER)}

## To noise and back

Root mean square error of what comes back. Points of the mixture, with its exact velocity:

{_trips(findings.round_trips)}

Scenes, with the network, in 8-bit levels again:

{_trips([findings.scene_trips])}

## Points of the mixture that get another class

{report.table_over_seeds("method", findings.swaps, (mixture.TO_CLASS, mixture.MOVED))}

## Gates

{lines}

Means ± standard deviations of seeds {", ".join(map(str, seeds))}; {size.contexts} contexts with
{size.draws} draws each, {size.points} points."""


def _cell(column: str, value: float) -> str:
    return f"{value:.0f}" if column == PASSES else f"{value:.3f}"


def _trips(of_seeds: Sequence[Mapping[str, Sequence[RoundTrip]]]) -> str:
    """A table of passes and errors, means over seeds."""
    rows = []
    for name, trips in of_seeds[0].items():
        for index in range(len(trips)):
            same = [found[name][index] for found in of_seeds]
            passes = float(np.mean([trip.passes for trip in same]))
            rmse = float(np.mean([trip.rmse for trip in same]))
            rows.append([name, f"{passes:.0f}", f"{rmse:.5f}"])
    return markdown.table(["solver", "passes", "RMSE"], rows)


def _plot(findings: Findings, picture: np.ndarray) -> np.ndarray:
    """Plots of distances and of round trips, above a grid of edited scenes."""
    plt = plots.pyplot()
    figure, (fill, trip) = plt.subplots(1, 2, figsize=(10, 4))
    for name, cells in _means(findings.by_passes).items():
        fill.plot(list(cells), [max(v, 1e-4) for v in cells.values()], "o-", label=name)
    plots.plain_log_ticks(fill, list(next(iter(findings.by_passes.values()))))
    fill.set(xlabel="passes", ylabel="energy distance", yscale="log")
    for name, trips in findings.round_trips[0].items():
        trip.plot([t.passes for t in trips], [t.rmse for t in trips], "o-", label=name)
    plots.plain_log_ticks(trip, (20, 50, 100, 200))
    trip.set(xlabel="passes, there and back", ylabel="RMSE", yscale="log")
    # Above the line of two exact samples, where no other method comes.
    fill.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0.0, 0.08))
    trip.legend(fontsize=8)
    for axis in (fill, trip):
        axis.grid(alpha=0.3)
    above = plots.render(figure)
    width = max(above.shape[1], picture.shape[1])
    return np.concatenate([_padded(above, width), _padded(picture, width)])


def _padded(image: np.ndarray, width: int) -> np.ndarray:
    return np.pad(image, ((0, 0), (0, width - image.shape[1]), (0, 0)), constant_values=255)
