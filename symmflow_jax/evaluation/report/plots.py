"""Plots of an evaluation: quality by NFE, risk by coverage, large confusion matrices."""

import math
from collections.abc import Mapping

import numpy as np

from symmflow_jax.evaluation.measurement import Measurement
from symmflow_jax.evaluation.report import tables
from symmflow_jax.evaluation.report.paper import figures
from symmflow_jax.metrics.calibration import RiskCoverage
from symmflow_jax.metrics.rejection import RejectionCurve
from symmflow_jax.runs.pictures import plots

_QUALITIES = ("miou", "accuracy", "auc", "fid", "frechet_distance")

_DASHES = ("-", "--", ":")


def plottable(table: list[Measurement]) -> list[tuple[str, str]]:
    """Task and metric of each quality that was measured at more than one NFE."""
    found: dict[tuple[str, str], set[float | None]] = {}
    for m in tables.whole(table):
        if m.metric in _QUALITIES:
            found.setdefault((m.protocol.task, m.metric), set()).add(m.nfe)
    return [name for name, costs in found.items() if len(costs) > 1]


def quality(table: list[Measurement], task: str, metric: str) -> np.ndarray:
    """Plots a metric by network passes (NFE): a line for each solver, and the paper's points.

    Args:
        table: the measurements.
        task: the task.
        metric: the metric.

    Returns:
        uint8 `[height, width, 3]`.
    """
    chosen = [
        m for m in tables.whole(table) if (m.protocol.task, m.metric) == (task, metric) and m.nfe
    ]
    plt = plots.pyplot()
    figure, axis = plt.subplots(figsize=(7, 4))
    for name in dict.fromkeys(_series(m) for m in chosen):
        points = sorted((m.nfe, m.value, m.spread) for m in chosen if _series(m) == name)
        cost, value, spread = zip(*points, strict=True)
        bars = None if None in spread else spread
        axis.errorbar(cost, value, yerr=bars, label=name, marker="o", markersize=4, capsize=3)
    for published in figures.of(chosen[0].protocol.dataset):
        is_curve = None not in published.values
        if (published.task, published.metric) == (task, metric) and is_curve:
            steps, values = zip(*published.values.items(), strict=True)
            axis.plot(steps, values, "k:x", label=f"paper, {published.data} (Euler)")
    _label_costs(axis, metric)
    return plots.render(figure)


def risk_coverage(curves: Mapping[str, RiskCoverage]) -> np.ndarray:
    """Plots risk-coverage curves, a line for each row of the table, uint8 `[height, width, 3]`.

    Args:
        curves: the curves by name of the row.
    """
    plt = plots.pyplot()
    figure, axis = plt.subplots(figsize=(7, 4))
    for name, curve in curves.items():
        axis.plot(curve.coverage, curve.risk, label=name)
    axis.set_xlim(0, 1)
    axis.set_ylim(bottom=0)
    axis.set_xlabel("share of the answers kept, the surest first")
    axis.set_ylabel("error rate among them")
    axis.grid(alpha=0.3)
    axis.legend()
    return plots.render(figure)


def rejection(curves: Mapping[str, Mapping[str, RejectionCurve]]) -> np.ndarray:
    """Plots accuracy and AUC by the share of rejected labels, uint8 `[height, width, 3]`.

    Each row of the table has a colour, and each uncertainty a kind of line.

    Args:
        curves: the curves by name of the row and of the uncertainty.
    """
    plt = plots.pyplot()
    figure, axes = plt.subplots(1, 2, figsize=(11, 4))
    for axis, score in zip(axes, ("accuracy", "auc"), strict=True):
        for colour, (row, by_uncertainty) in enumerate(curves.items()):
            for dashes, (uncertainty, curve) in zip(_DASHES, by_uncertainty.items(), strict=False):
                axis.plot(
                    curve.rejected,
                    getattr(curve, score),
                    color=f"C{colour}",
                    linestyle=dashes,
                    label=f"{row}, by {uncertainty}",
                )
        axis.set_xlim(0, 1)
        axis.set_xlabel("share of the labels rejected, the least sure first")
        axis.set_ylabel(f"{score} of the others")
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize="small")
    return plots.render(figure)


def confusion(counts: np.ndarray) -> np.ndarray:
    """Plots a confusion matrix as shares of each true class, uint8 `[height, width, 3]`.

    Args:
        counts: int `[classes, classes]`; rows are the true classes.
    """
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    plt = plots.pyplot()
    figure, axis = plt.subplots(figsize=(7, 6))
    image = axis.imshow(shares, vmin=0, vmax=1)
    axis.set_xlabel("recognised class")
    axis.set_ylabel("true class")
    figure.colorbar(image)
    return plots.render(figure)


def _series(measurement: Measurement) -> str:
    solver = measurement.protocol.solver or ""
    original = ", original size" if measurement.protocol.scored_size == "original" else ""
    return solver + original


def _label_costs(axis, metric: str) -> None:
    """Formats the axis of network passes: logarithmic, with plain numbers."""
    axis.set_xscale("log")
    low, high = axis.get_xlim()
    powers = (2**power for power in range(math.floor(math.log2(low)), 12))
    plots.plain_log_ticks(axis, [tick for tick in powers if low <= tick <= high])
    axis.set_xlabel("network passes for each sample (NFE)")
    axis.set_ylabel(metric)
    axis.grid(alpha=0.3)
    axis.legend()
