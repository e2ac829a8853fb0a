"""The report of a table of measurements."""

import json

import pytest

from symmflow_jax import report
from symmflow_jax.evaluate import Measurement
from symmflow_jax.run_folder import History


def _measurement(**changes) -> Measurement:
    values = {
        "task": "segmentation",
        "dataset": "shapes",
        "split": "test",
        "solver": "euler",
        "num_steps": 1,
        "nfe": 1.0,
        "num_draws": 1,
        "metric": "miou",
        "value": 0.5,
        "num_examples": 500,
        "weights": "ema",
        "train_step": 30,
        "seed": 7,
    }
    return Measurement(**(values | changes))


@pytest.fixture
def table():
    return [
        _measurement(),
        _measurement(metric="pixel_accuracy", value=0.75),
        _measurement(solver="rk4", num_steps=2, nfe=8.0, value=0.625),
        _measurement(solver="rk4", num_steps=2, nfe=8.0, metric="pixel_accuracy", value=0.8),
        _measurement(solver="dopri5", num_steps=None, nfe=23.46, value=0.65),
        _measurement(solver="dopri5", num_steps=None, nfe=23.46, metric="pixel_accuracy", value=1),
        _measurement(task="objective", solver=None, num_steps=None, nfe=None, metric="loss"),
    ]


def test_a_row_for_each_solver_and_number_of_steps(table, tmp_path):
    report.write_report(tmp_path, table, "run, step 30", "pictures/examples.png")
    lines = (tmp_path / "report.md").read_text().splitlines()
    assert lines[0] == "# run, step 30"
    start = lines.index("## Segmentation")
    assert lines[start + 2 : start + 7] == [
        "| solver | steps | NFE | miou | pixel_accuracy |",
        "| --- | --- | --- | --- | --- |",
        "| euler | 1 | 1.0 | 0.5000 | 0.7500 |",
        "| rk4 | 2 | 8.0 | 0.6250 | 0.8000 |",
        "| dopri5 |  | 23.5 | 0.6500 | 1.0000 |",
    ]
    assert "500 examples of shapes (test); ema weights of step 30; 1 draw(s); seed 7." in lines
    assert "## Objective" in lines and "![examples](pictures/examples.png)" in lines


def test_a_row_for_each_class(table, tmp_path):
    classes = [
        _measurement(metric="iou", value=0.25, class_name="sky"),
        _measurement(metric="iou", value=0.75, class_name="road"),
        _measurement(metric="iou", value=0.5, num_steps=2, nfe=2.0, class_name="road"),
    ]
    report.write_report(tmp_path, table + classes, "run", "p.png")
    text = (tmp_path / "report.md").read_text()
    assert text.count("| euler | 1 |") == 1
    assert "| class | euler 1 | euler 2 |\n" in text
    assert "| sky | 0.2500 |  |\n| road | 0.7500 | 0.5000 |\n" in text
    assert report.scalars(classes) == {} and report.summary(classes) == ""


def test_the_loss_curve_comes_with_a_history(table, tmp_path):
    report.write_report(tmp_path, table, "run", "p.png")
    assert not (tmp_path / "loss.png").exists()
    history = History(tmp_path, 0)
    for step in (1, 2):
        history.append(step, {"loss": 1.0, "loss_image": 0.5, "loss_semantics": 0.5})
    report.write_report(tmp_path, table, "run", "p.png")
    assert (tmp_path / "loss.png").stat().st_size > 1_000
    assert "![loss](loss.png)" in (tmp_path / "report.md").read_text()


def test_metrics_json_holds_every_measurement_whole(table, tmp_path):
    report.write_report(tmp_path, table, "run", "p.png")
    read = json.loads((tmp_path / "metrics.json").read_text())
    assert [Measurement(**values) for values in read] == table


def test_scalars_and_summary_are_named_by_what_was_measured(table):
    assert report.scalars(table)["eval/segmentation/miou_rk4_2"] == 0.625
    assert report.scalars(table)["eval/objective/loss"] == 0.5
    assert report.summary(table[:1]) == "miou_euler_1 0.5000"
