"""The scores that matter most, for the terminal; the report holds all of them."""

from symmflow_jax.evaluation.likelihood import STANDARD_ERROR
from symmflow_jax.evaluation.measurement import Measurement
from symmflow_jax.evaluation.report import tables

_OVERLAPS = ("pixel_accuracy", "frequency_weighted_iou")
_DETAILS = {
    *("dice", "boundary_iou", "miou_by_image", "dice_by_image"),
    *("calibration_error", "aurc", "auc_of_distances", "loss_image", "loss_semantics"),
    *(f"{of}{name}" for of in ("", "agreement_", "cycle_") for name in _OVERLAPS),
}
"""Scores for the report alone."""

_RECOGNITION = ("miou", "accuracy", "auc")


def as_table(table: list[Measurement]) -> str:
    """A few lines of aligned columns: the score, solver and steps, and the value.

    Each score comes with one step and with the most network passes; recognition also with its
    best row.
    """
    groups: dict[str, list[Measurement]] = {}
    for measurement in _leading(table):
        groups.setdefault(tables.column_name(measurement), []).append(measurement)
    rows = [("score", "solver, steps", "value", "")]
    for name, group in groups.items():
        best = _best(group)
        for m in _ends(group, best):
            note = "best" if m is best and len(group) > 1 else ""
            rows.append((_in_words(name), _row(m), tables.cell(m), note))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def in_one_line(table: list[Measurement]) -> str:
    """The scores of a quick evaluation, such as "miou 0.9123 (euler 1)  loss 0.4501"."""
    parts = []
    for m in _leading(table):
        row = f" ({_row(m)})" if _row(m) else ""
        parts.append(f"{_in_words(tables.column_name(m))} {tables.cell(m)}{row}")
    return "  ".join(parts)


def _leading(table: list[Measurement]) -> list[Measurement]:
    return [
        m
        for m in tables.whole(table)
        if m.metric not in _DETAILS and not m.metric.endswith(STANDARD_ERROR)
    ]


def _ends(group: list[Measurement], best: Measurement | None) -> list[Measurement]:
    """The rows of one score that are shown, in the order of the report."""
    once = next((m for m in group if m.protocol.num_steps == 1), None)
    longest = max(group, key=lambda m: m.nfe or 0.0)
    return [m for m in group if any(m is shown for shown in (once, best, longest))]


def _best(group: list[Measurement]) -> Measurement | None:
    """The row of the highest score; None for scores that are compared with other things."""
    if group[0].metric not in _RECOGNITION:
        return None
    # NaN is no best score, though a list may begin with it.
    return max(group, key=lambda m: (m.value == m.value, m.value))


def _row(measurement: Measurement) -> str:
    return measurement.protocol.row if measurement.protocol.solver else ""


def _in_words(name: str) -> str:
    return name.replace("_", " ")
