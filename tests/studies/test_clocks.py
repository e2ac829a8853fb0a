"""The study of clocks at a tiny size."""

import re

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.studies import clocks, report, training

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("standard_dtype_promotion")]


def test_each_variant_has_a_column_and_a_gate(tmp_path, monkeypatch, tiny, check_row):
    few = {name: clocks.VARIANTS[name] for name in ("tied", "mixed")}
    monkeypatch.setattr(clocks, "VARIANTS", few)
    monkeypatch.setattr(clocks, "NUM_STEPS", (1, 2))
    monkeypatch.setattr(clocks, "GENERATION_STEPS", 2)
    found = clocks.study(seeds=(0, 1), changes=tiny)
    for name in ("accuracy, 1 step", "accuracy, 2 steps"):
        check_row(found.text, name, len(clocks.VARIANTS))
    for name in clocks.VARIANTS:
        assert re.search(rf"^- {name}: (met|missed at .*)$", found.text, re.MULTILINE)
    assert "seeds 0, 1" in found.text and "`train.batch_size=16`" in found.text
    report.write(found, "clocks", tmp_path)
    assert "![clocks](clocks.png)" in (tmp_path / "clocks.md").read_text()
    assert np.asarray(Image.open(tmp_path / "clocks.png")).std() > 1


def test_points_agree_with_the_label_of_the_nearest_real_one():
    real = np.array([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])
    known = training.Examples(real, np.array([[0, 1, 1]]))
    made = np.array([[[0.1, 0.1], [0.9, 0.2], [0.4, 0.0], [0.0, 3.0]]])
    assert clocks.agreement(made, np.array([[0, 1, 1, 1]]), known) == [0.75]


def _findings(accuracy: float, agreement: float) -> clocks.VariantFindings:
    steps = [f"accuracy, {n} step{'s' if n > 1 else ''}" for n in clocks.NUM_STEPS]
    scores = {name: [accuracy, accuracy] for name in steps}
    scores[f"agreement, {clocks.GENERATION_STEPS} steps"] = [agreement, agreement]
    return clocks.VariantFindings(scores, np.zeros((3, 2), np.float32), np.asarray([0, 1, 1]))


def test_gates_are_met_or_missed_by_name():
    findings = {"good": _findings(0.995, 0.985), "bad": _findings(0.995, 0.9)}
    text = clocks.assemble(findings, {}, (0, 1)).text
    assert "- good: met\n" in text
    assert f"- bad: missed at agreement, {clocks.GENERATION_STEPS} steps (0.9000)\n" in text
    # Two percent of the labels are too many to lose.
    missed = clocks.assemble({"good": _findings(0.98, 1.0)}, {}, (0, 1)).text
    assert missed.count("(0.9800)") == len(clocks.NUM_STEPS)
