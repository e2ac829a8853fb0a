"""The report of a table of measurements, as it is written."""

import dataclasses
import json

import numpy as np
import pytest

from symmflow_jax.evaluation.findings import Confusion, Findings
from symmflow_jax.evaluation.report import report
from symmflow_jax.metrics.calibration import RiskCoverage
from symmflow_jax.runs.folder import SKIPPED, History
from symmflow_jax.semantics.labels import consecutive

_SCHEMA = consecutive(("sky", "road"))


@pytest.fixture
def write(tmp_path):
    """A function from a table (and counts) to the text of its report."""

    def write_report(table, counts=None, schema=_SCHEMA) -> str:
        counts = np.zeros((2, 2), np.int64) if counts is None else counts
        curves = {"euler 1": RiskCoverage(np.array([0.5, 1.0]), np.array([0.0, 0.25]))}
        protocol = table[0].protocol
        confusion = Confusion(counts, protocol.row, protocol.task)
        findings = Findings(table, confusion, curves)
        report.write_report(tmp_path, findings, schema, "run, step 30")
        return (tmp_path / "report.md").read_text()

    return write_report


def test_a_report_has_a_title_its_tables_and_the_examples(table, write):
    lines = write(table).splitlines()
    assert lines[0] == "# run, step 30"
    assert "## Segmentation" in lines and "## Objective" in lines
    assert "![examples](pictures/examples.png)" in lines
    assert "Beside the paper" not in "".join(lines)


def test_a_quality_is_plotted_by_its_cost(write, measurement, tmp_path):
    coco = {"dataset": "coco_stuff"}
    text = write([measurement(coco), measurement(coco | {"num_steps": 5}, nfe=5.0, value=0.6)])
    assert "## Beside the paper" in text
    assert "![miou by NFE](pictures/segmentation_miou.png)" in text
    assert (tmp_path / "pictures/segmentation_miou.png").stat().st_size > 1_000


def test_few_classes_are_confused_in_a_table_and_many_in_a_picture(write, measurement, tmp_path):
    table = [measurement({"task": "classification", "scored_size": None}, metric="accuracy")]
    text = write(table, np.array([[5, 2], [0, 9]]))
    assert "| true / recognised | sky | road |\n" in text
    assert "| sky | 5 | 2 |\n| road | 0 | 9 |\n\nNumbers of examples; euler 1." in text
    many = consecutive(tuple(f"class {number}" for number in range(30)))
    text = write(table, np.eye(30, dtype=np.int64), many)
    assert "![confusion matrix](pictures/confusion.png)" in text and "recognised |" not in text
    assert (tmp_path / "pictures/confusion.png").stat().st_size > 1_000


def test_the_risk_falls_in_a_picture_as_coverage_does(table, write, tmp_path):
    text = write(table)
    assert "![risk by coverage](pictures/risk_coverage.png)\n\nError rate among the pixels" in text
    assert (tmp_path / "pictures/risk_coverage.png").stat().st_size > 1_000


def test_the_loss_curve_comes_with_a_history(table, write, tmp_path):
    write(table)
    assert not (tmp_path / "loss.png").exists()
    history = History(tmp_path, 0)
    for step in (1, 2):
        history.append(step, {"loss": 1.0, "loss_image": 0.5, "loss_semantics": 0.5})
    assert "![loss](loss.png)" in write(table)
    assert (tmp_path / "loss.png").stat().st_size > 1_000


def test_skipped_examples_are_named_once(table, write, tmp_path):
    assert "Skipped" not in write(table)
    lines = [
        {"index": 3, "error": "b.png is cut off"},
        {"index": 1, "error": "a.png is empty"},
        {"index": 3, "error": "b.png is cut off"},
    ]
    (tmp_path / SKIPPED).write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"ind')
    text = write(table)
    assert text.endswith(
        "## Skipped\n\n2 examples could not be read and were left out:\n\n"
        "- a.png is empty\n- b.png is cut off\n"
    )


def test_metrics_json_holds_every_measurement_with_its_protocol(table, write, tmp_path):
    write(table)
    read = json.loads((tmp_path / "metrics.json").read_text())
    assert len(read) == len(table)
    protocol = json.loads(json.dumps(dataclasses.asdict(table[0].protocol)))
    expected = {"metric": "miou", "value": 0.5, "num_examples": 500, "nfe": 1.0}
    assert read[0] == protocol | expected | {"spread": None, "class_name": None}


def test_scalars_are_named_by_what_was_measured(table, measurement):
    original = measurement({"scored_size": "original"}, value=0.3)
    assert report.scalars(table)["eval/segmentation/miou_rk4_2"] == 0.625
    assert report.scalars([*table, original])["eval/segmentation/miou_euler_1"] == 0.5
    assert report.scalars([original]) == {"eval/segmentation/miou_euler_1_original": 0.3}
    assert report.scalars(table)["eval/objective/loss"] == 0.5


def test_single_classes_are_no_scalars(measurement):
    classes = [measurement(metric="iou", value=0.25, class_name="sky")]
    assert report.scalars(classes) == {}
