"""The studies at a tiny size: what they find means nothing, its form does."""

import re

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.sources.synthetic import split_posterior
from symmflow_jax.studies import clocks, encodings, guidance, report, training

pytestmark = pytest.mark.usefixtures("standard_dtype_promotion")

_TINY = {
    "data.train_size": 32,
    "data.eval_size": 20,
    "network.channels": 4,
    "network.num_res_blocks": 1,
    "train.batch_size": 16,
    "train.num_epochs": 1.0,
    "train.warmup_epochs": 0.5,
}
_MEAN_AND_SPREAD = r"-?\d\.\d{4} ± \d\.\d{4}"


def _row(text: str, name: str) -> list[str]:
    """The cells of the one row of that name."""
    (line,) = (line for line in text.splitlines() if line.startswith(f"| {name} |"))
    return line.strip("|").split("|")[1:]


def _check_row(text: str, name: str, num_cells: int) -> None:
    cells = _row(text, name)
    assert len(cells) == num_cells
    assert all(re.fullmatch(f" {_MEAN_AND_SPREAD} ", cell) for cell in cells)


def test_clocks(tmp_path, monkeypatch):
    few = {name: clocks.VARIANTS[name] for name in ("tied", "mixed")}
    monkeypatch.setattr(clocks, "VARIANTS", few)
    monkeypatch.setattr(clocks, "NUM_STEPS", (1, 2))
    monkeypatch.setattr(clocks, "GENERATION_STEPS", 2)
    found = clocks.study(seeds=(0, 1), changes=_TINY)
    for name in ("accuracy, 1 step", "accuracy, 2 steps"):
        _check_row(found.text, name, len(clocks.VARIANTS))
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


def test_encodings(monkeypatch):
    monkeypatch.setattr(encodings, "ENCODINGS", ("colour", "onehot"))
    found = encodings.study(seeds=(0, 1), changes=_TINY | {"data.eval_size": 5_000})
    for encoding in encodings.ENCODINGS:
        for clock in encodings.CLOCKS:
            _check_row(found.text, f"{encoding}, {clock}", 4)
    accuracy, calibration, distance, impossible = _row(found.text, "Bayes")
    best = split_posterior.BEST_ACCURACY
    assert float(accuracy.split("±")[0]) == pytest.approx(best, abs=0.02)
    assert float(calibration.split("±")[0]) < 0.03
    assert distance == impossible == " 0.0000 ± 0.0000 "
    assert "- Bayes" not in found.text
    assert found.plot.dtype == np.uint8 and found.plot.std() > 1


def test_guidance(monkeypatch):
    monkeypatch.setattr(guidance, "WEIGHTS", (1.0, 2.0))
    monkeypatch.setattr(guidance, "NUM_STEPS", 2)
    monkeypatch.setattr(guidance, "UNCONDITIONAL_STEPS", (1, 2))
    found = guidance.study(seeds=(0, 1), changes=_TINY, num_points=10, num_unconditional=30)
    tables = re.split("^## ", found.text, flags=re.MULTILINE)
    by_title = {table.splitlines()[0]: table for table in tables}
    for name in ("Under-trained", "Well trained"):
        for weight in ("1.0", "2.0"):
            _check_row(by_title[name], weight, len(guidance.KINDS))
        # Without guidance there is nothing to project.
        plain, projected, *_ = _row(by_title[name], "1.0")
        assert plain == projected
        assert len(set(_row(by_title[name], "2.0"))) > 1
    _check_row(by_title["Unconditional"], "well trained", 2)
    floor = re.search(rf"Two exact samples: ({_MEAN_AND_SPREAD})", found.text)
    assert floor and abs(float(floor[1].split("±")[0])) < 0.2
    assert found.text.count("the noise of two exact samples") == 4
    assert found.plot.dtype == np.uint8 and found.plot.std() > 1
