"""The report of the study, and its gates."""

import re

import numpy as np
import pytest

from symmflow_jax.studies.editing import mixture, scenes, study
from symmflow_jax.studies.editing.mixture import RoundTrip

_TRIPS = {"euler": [RoundTrip(20.0, 0.1)], "heun": [RoundTrip(20.0, 0.01)]}


def _row(agreement, rmse, kept, border):
    values = (agreement, rmse, kept, border, 50.0)
    return dict(zip(scenes.COLUMNS, values, strict=True))


def _findings(*, good):
    """Findings that meet all gates, or none."""
    low, high = (0.01, 0.1) if good else (0.1, 0.01)
    by_passes = {
        name: {passes: [low, low] for passes in mixture.BUDGETS}
        for name in (mixture.REPAINTED, mixture.SETTLED, mixture.FLOOR)
    }
    by_passes[mixture.REPLACED] = {passes: [high, high] for passes in mixture.BUDGETS}
    falling = [0.1, 0.05, 0.04, 0.03, 0.02]
    inner = dict(
        zip(mixture.INNER, [[v] for v in (falling if good else falling[::-1])], strict=True)
    )
    rows = {
        scenes.GENERATED: _row(0.92, 0.3, 0.3, 1.0),
        scenes.SAME: _row(0.9, 0.0, 0.0 if good else 0.01, 1.0),
        scenes.EDITED: _row(0.9 if good else 0.8, 0.05 if good else 0.07, 0.07, 1.0),
        scenes.KEPT: _row(0.9, 0.0, 0.0 if good else 0.01, 0.7 if good else 1.2),
        scenes.REPLACED: _row(0.9, 0.0, 0.0, 1.6),
    }
    return study.Findings(
        by_passes,
        {"Langevin, inner steps": inner},
        {"FlowEdit": {mixture.TO_CLASS: [0.1], mixture.MOVED: [0.5]}},
        [_TRIPS, _TRIPS],
        rows,
        _TRIPS,
        "Editing needs ...; train with 'independent' or 'mixed'." if good else "",
    )


@pytest.mark.parametrize("good", [True, False])
def test_every_gate_can_be_met_and_missed(good):
    lines = study.gates(_findings(good=good))
    assert len(lines) == 7
    assert all(line.startswith("met: " if good else "MISSED: ") for line in lines)


@pytest.mark.slow
def test_the_report_has_all_tables_and_the_picture(monkeypatch):
    found = _findings(good=True)
    monkeypatch.setattr(scenes, "model_of", lambda run, changes: type("", (), {"step": 7}))
    monkeypatch.setattr(
        mixture,
        "regions",
        lambda seed, size: tuple(
            {row: {c: v[0] for c, v in cells.items()} for row, cells in table.items()}
            for table in (found.by_passes, found.by_inner)
        ),
    )
    monkeypatch.setattr(mixture, "swaps", lambda seed, size: {"FlowEdit": {
        mixture.TO_CLASS: 0.1, mixture.MOVED: 0.5}})  # fmt: skip
    monkeypatch.setattr(mixture, "round_trips", lambda seed, size: _TRIPS)
    monkeypatch.setattr(scenes, "table", lambda model, drawn: found.rows)
    monkeypatch.setattr(scenes, "round_trips", lambda model, drawn: _TRIPS)
    picture = np.zeros((20, 30, 3), np.uint8)
    monkeypatch.setattr(scenes, "picture", lambda model, drawn: picture)
    report = study.study("runs/shapes", seeds=(0, 1), num_scenes=2)
    assert "the run runs/shapes, 7 steps" in report.text
    assert "| FlowEdit | 0.900 | 0.050 | 0.070 | 1.000 | 50 |" in report.text
    assert re.search(r"\| replacement \| 0.1000 ± 0.0000 \|", report.text)
    assert "| heun | 20 | 0.01000 |" in report.text
    assert report.text.count("- met: ") == 7
    assert report.plot.shape[1] > 30 and (report.plot[-20:, :30] == 0).all()
