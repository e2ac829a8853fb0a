"""Markdown tables of measurements, with their protocols and the paper's figures."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from symmflow_jax.evaluation.measurement import Measurement, Protocol
from symmflow_jax.evaluation.report.paper import comparison, figures
from symmflow_jax.metrics.conventions import OURS
from symmflow_jax.metrics.rejection import RejectionCurve
from symmflow_jax.runs import markdown
from symmflow_jax.semantics.kinds import SemanticsKind

MOST_CLASSES = 20
"""Largest number of classes for which a confusion matrix is shown as a table."""


UNDEFINED = "–"
"""Stands for a score that is not defined."""

_NOTHING_COUNTS = (
    f"{UNDEFINED} is not defined: no pixel or label of these examples counts, because all are of "
    "ignored classes."
)
_OF_COUNTS = (
    *("miou", "pixel_accuracy", "frequency_weighted_iou", "accuracy"),
    *("calibration_error", "aurc"),
)

_ONE_CLASS = f"{UNDEFINED} for AUC is not defined: it needs examples of at least two classes."

_CLASSIFICATION = SemanticsKind.LABEL.task

_CLOCKS = {
    "clean": "the given component held clean",
    "noise": "the other component pure noise",
}
"""Descriptions of clocks; the paper's clock has none."""


def sections(table: list[Measurement]) -> list[str]:
    """Markdown sections: one for each task, one with the paper's figures, one by class."""
    tasks = dict.fromkeys(m.protocol.task for m in table)
    parts = [_section(task, [m for m in whole(table) if m.protocol.task == task]) for task in tasks]
    parts += [_paper_section(table), _class_section(table)]
    return [part for part in parts if part]


def confusion_section(counts: np.ndarray, names: Sequence[str], of: str) -> str:
    """The section of a confusion matrix.

    Args:
        counts: int `[classes, classes]`; rows are the true classes, columns the predicted ones.
        names: names of the classes.
        of: description of the predictions, for the caption.
    """
    names = [markdown.escape(name) for name in names]
    rows = [[name, *row] for name, row in zip(names, counts.tolist(), strict=True)]
    lines = markdown.table(["true / recognised", *names], rows)
    return f"## Confusion matrix\n\n{lines}\n\nNumbers of examples; {of}."


def rejection_section(curves: Mapping[str, Mapping[str, RejectionCurve]], picture: str) -> str:
    """The section of rejection curves: a plot, and a table for each uncertainty.

    Args:
        curves: the curves by name of the row and of the uncertainty.
        picture: path of the plot.
    """
    names = dict.fromkeys(name for of_row in curves.values() for name in of_row)
    parts = ["## Rejection of the least sure", f"![rejection]({picture})"]
    for name in names:
        of_name = {row: of_row[name] for row, of_row in curves.items() if name in of_row}
        first = next(iter(of_name.values()))
        header = ["rejected", "labels kept"]
        header += [f"{score}, {row}" for row in of_name for score in ("accuracy", "auc")]
        lines = [
            [f"{100 * first.rejected[i]:.0f} %", first.kept[i]]
            + [_number(v) for c in of_name.values() for v in (c.accuracy[i], c.auc[i])]
            for i in range(len(first.rejected))
        ]
        parts += [f"By {_UNCERTAINTIES[name]}:", markdown.table(header, lines)]
    return "\n\n".join([*parts, "AUC is of the classes that the kept labels still have."])


_UNCERTAINTIES = {
    "distance": "distance, that of the read-out from the code of its label (as in MedSymmFlow)",
    "confidence": "one minus the confidence",
    "entropy": "entropy",
}
"""Descriptions of the uncertainties of `GradedLabels`."""


def whole(table: Iterable[Measurement]) -> list[Measurement]:
    """The measurements over all classes."""
    return [m for m in table if m.class_name is None]


def column_name(measurement: Measurement) -> str:
    """The metric, with a note if masks were compared at their original size."""
    at_original = measurement.protocol.scored_size == "original"
    return f"{measurement.metric}, original size" if at_original else measurement.metric


def cell(measurement: Measurement | None) -> str:
    """Formats the value, with its standard deviation if there are several seeds.

    A value that is not defined is `UNDEFINED`.
    """
    if measurement is None:
        return ""
    spread = "" if measurement.spread is None else f" ± {_number(measurement.spread)}"
    return _number(measurement.value) + ("" if math.isnan(measurement.value) else spread)


def protocols(table: list[Measurement]) -> str:
    """A paragraph for each protocol, with the columns that it belongs to."""
    columns: dict[str, dict[str, None]] = {}
    for m in table:
        columns.setdefault(_in_words(m), {})[column_name(m)] = None
    if len(columns) == 1:
        return f"{next(iter(columns))}."
    return "\n\n".join(f"{', '.join(names)}: {words}." for words, names in columns.items())


def _section(task: str, table: list[Measurement]) -> str:
    columns = list(dict.fromkeys(column_name(m) for m in table))
    rows: dict[tuple, dict[str, Measurement]] = {}
    for m in table:
        row = (_solver(m.protocol), m.protocol.num_steps, m.protocol.ensemble_size, m.nfe)
        rows.setdefault(row, {})[column_name(m)] = m
    compared = [name for name in columns if f"{name}, original size" in columns]
    header = ["solver", "steps", "draws", "NFE", *columns]
    header += [f"{name}, difference" for name in compared]
    lines = [
        [solver, num_steps or "", ensemble_size, f"{nfe:.1f}" if nfe else ""]
        + [cell(cells.get(name)) for name in columns]
        + [_difference(cells, name) for name in compared]
        for (solver, num_steps, ensemble_size, nfe), cells in rows.items()
    ]
    parts = [f"## {task.capitalize()}", markdown.table(header, lines), protocols(table)]
    if any(math.isnan(m.value) and m.metric.endswith(_OF_COUNTS) for m in table):
        parts.append(_NOTHING_COUNTS)
    if any(math.isnan(m.value) and m.metric.startswith("auc") for m in table):
        parts.append(_ONE_CLASS)
    return "\n\n".join(parts)


def _solver(protocol: Protocol) -> str:
    accuracy = "" if protocol.tolerance is None else f", tolerance {protocol.tolerance:g}"
    return (protocol.solver or "") + accuracy


def _in_words(measurement: Measurement) -> str:
    """The protocol in words, without the fields that the row shows: solver, steps and draws."""
    protocol = measurement.protocol
    data = f", data {protocol.data_digest[:8]}" if protocol.data_digest else ""
    parts = [f"{measurement.num_examples} examples of {protocol.dataset} ({protocol.split}{data})"]
    if protocol.image_size:
        filtered = f", {protocol.resampling}" if protocol.resampling else ""
        size = "x".join(map(str, protocol.image_size))
        crop = f"{protocol.crop} crop" if protocol.crop else ""
        fitted = ", ".join(part for part in (crop, protocol.fit) if part)
        parts.append(f"{fitted} at {size}{filtered}")
    if protocol.dequantized:
        parts.append("real images with noise of half an 8-bit level")
    if protocol.conventions != OURS.name:
        parts.append(f"{protocol.conventions} protocol")
    if protocol.scored_size:
        read = f", read in {protocol.view}" if protocol.view else ""
        parts.append(f"masks compared at the {protocol.scored_size} size{read}")
    if protocol.mask_decoder and (protocol.scored_size or protocol.task == _CLASSIFICATION):
        whose = {"own": "a decoder of their own", "images": "the decoder of images"}
        what = "masks" if protocol.scored_size else "pictures of labels"
        parts.append(f"{what} read by {whose[protocol.mask_decoder]}")
    if protocol.clock in _CLOCKS:
        parts.append(_CLOCKS[protocol.clock])
    if protocol.divergence:
        parts.append(f"divergence by {protocol.divergence}")
    if protocol.guidance:
        parts.append(f"guidance of {protocol.guidance}")
    if protocol.conditions:
        parts.append(f"generated from {protocol.conditions}")
    if protocol.features:
        parts.append(f"features {protocol.features} (weights {protocol.features_hash})")
    if protocol.reference:
        parts.append(f"against {protocol.reference}")
    parts.append(f"{protocol.weights} weights of step {protocol.train_step}")
    seeds = ", ".join(str(seed) for seed in protocol.seeds)
    several = len(protocol.seeds) > 1
    parts.append(f"mean ± standard deviation of seeds {seeds}" if several else f"seed {seeds}")
    return "; ".join(parts)


def _paper_section(table: list[Measurement]) -> str:
    """The paper's figures for the data set, each with the measured value and what differs."""
    rows, notes = [], []
    for published in figures.of(table[0].protocol.dataset):
        if not comparison.concerns(published, table):
            continue
        for num_steps, value in published.values.items():
            found = comparison.ours(published, num_steps, table)
            theirs = f"{value:.{published.decimals}f}"
            if not found:
                note = comparison.not_measured(published, table)
                rows.append([published.title, _steps(published, num_steps), theirs, "", note])
            for m in found:
                note = "; ".join(comparison.differences(published, m))
                here = _as_printed(published, m)
                rows.append([published.title, _steps(published, num_steps), theirs, here, note])
        notes.append(f"{published.title}, in the paper: {published.note}.")
    if not rows:
        return ""
    lines = markdown.table(["figure", "Euler steps", "paper", "here", "what differs here"], rows)
    here = (
        "Here: see the protocols above. What differs is told as far as the protocol of the score "
        "tells it; how a model was trained is not."
    )
    return "## Beside the paper\n\n" + "\n\n".join([lines, *notes, here])


def _steps(published: comparison.Published, num_steps: int | None) -> int | str:
    """Number of Euler steps of a published figure, or the adaptive solver."""
    return published.solver if num_steps is None else num_steps


def _as_printed(published: comparison.Published, measurement: Measurement) -> str:
    """The measured value in the paper's unit, with one more decimal and perhaps its spread."""
    if math.isnan(measurement.value):
        return UNDEFINED
    text = published.printed(measurement.value, more_decimals=1)
    if measurement.spread is None or math.isnan(measurement.spread):
        return text
    return f"{text} ± {published.printed(measurement.spread, more_decimals=1)}"


def _class_section(table: list[Measurement]) -> str:
    """A table with a row for each class and a column for each solver and number of steps."""
    by_class = [(m.class_name, m) for m in table if m.class_name is not None]
    if not by_class:
        return ""
    columns = list(dict.fromkeys(_class_column(m) for _, m in by_class))
    cells = {(name, _class_column(m)): cell(m) for name, m in by_class}
    names = dict.fromkeys(name for name, _ in by_class)
    rows = [
        [markdown.escape(name), *(cells.get((name, column), "") for column in columns)]
        for name in names
    ]
    return "## Intersection over union by class\n\n" + markdown.table(["class", *columns], rows)


def _class_column(measurement: Measurement) -> str:
    original = ", original size" if measurement.protocol.scored_size == "original" else ""
    return measurement.protocol.row + original


def _difference(cells: dict[str, Measurement], name: str) -> str:
    at_model, at_original = cells.get(name), cells.get(f"{name}, original size")
    if at_model is None or at_original is None:
        return ""
    difference = at_original.value - at_model.value
    return UNDEFINED if math.isnan(difference) else f"{difference:+.4f}"


def _number(value: float) -> str:
    return UNDEFINED if math.isnan(value) else f"{value:.4f}"
