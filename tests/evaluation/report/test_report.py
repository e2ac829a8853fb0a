"""The report of a table of measurements, as it is written."""

import dataclasses
import json

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from symmflow_jax.evaluation.compare import compare
from symmflow_jax.evaluation.findings import Confusion, Findings
from symmflow_jax.evaluation.report import report
from symmflow_jax.evaluation.scores.recognition import make_recognition
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.compiled.predictions import SemanticsPrediction
from symmflow_jax.metrics.calibration import RiskCoverage
from symmflow_jax.metrics.rejection import RejectionCurve
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
        return (tmp_path / "report.md").read_text("utf-8")

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


def test_rejection_is_a_picture_and_a_table_for_each_uncertainty(table, tmp_path):
    shares = np.array([0.0, 0.05])
    curve = RejectionCurve(
        shares, np.array([30, 29]), np.array([0.5, 0.75]), np.array([0.6, np.nan])
    )
    curves = {"euler 1": {"distance": curve, "entropy": curve}, "euler 2": {"distance": curve}}
    report.write_report(tmp_path, Findings(table, rejection=curves), _SCHEMA, "run")
    text = (tmp_path / "report.md").read_text("utf-8")
    assert "![rejection](pictures/rejection.png)" in text
    assert (tmp_path / "pictures/rejection.png").stat().st_size > 1_000
    both = "| rejected | labels kept | accuracy, euler 1 | auc, euler 1 | accuracy, euler 2 |"
    assert text.count(both) == 1  # The entropy is that of the first row alone.
    assert "| 5 % | 29 | 0.7500 | – | 0.7500 | – |" in text
    assert "| 0 % | 30 | 0.5000 | 0.6000 |\n" in text and "Seed 7." in text


def test_the_loss_curve_comes_with_a_history(table, write, tmp_path):
    write(table)
    assert not (tmp_path / "loss.png").exists()
    history = History(tmp_path, 0)
    for step in (1, 2):
        history.append(step, {"loss": 1.0, "loss_image": 0.5, "loss_semantics": 0.5})
    assert "![loss](loss.png)" in write(table)
    assert (tmp_path / "loss.png").stat().st_size > 1_000


def test_a_report_elsewhere_leaves_the_run_as_it_was(table, tmp_path):
    run, output = tmp_path / "run", tmp_path / "report"
    run.mkdir()
    history = History(run, 0)
    for step in (1, 2):
        history.append(step, {"loss": 1.0, "loss_image": 0.5, "loss_semantics": 0.5})
    (run / SKIPPED).write_text('{"index": 1, "error": "a.png is empty"}\n')
    output.mkdir()
    (output / SKIPPED).write_text('{"index": 1, "error": "b.png is empty"}\n')
    before = {path: path.read_bytes() for path in run.iterdir()}
    report.write_report(output, Findings(table), _SCHEMA, "run, step 30", run)
    assert {path: path.read_bytes() for path in run.iterdir()} == before
    text = (output / "report.md").read_text()
    assert "![loss](loss.png)" in text and (output / "loss.png").exists()
    assert text.endswith("- a.png is empty\n- b.png is empty\n")


def test_the_legend_of_masks_is_shown(table, write, tmp_path):
    assert "classes.png" not in write(table)
    report.write_report(tmp_path, Findings(table), _SCHEMA, "run", has_masks=True)
    assert "![colours of the classes](classes.png)" in (tmp_path / "report.md").read_text("utf-8")
    assert (tmp_path / "classes.png").stat().st_size > 500


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


def test_a_report_takes_names_of_any_letters(write, measurement, tmp_path):
    names = ("Straße", "木", "gr\udcf6n|", "$x_$")
    table = [measurement({"task": "classification", "scored_size": None}, metric="accuracy")]
    table += [measurement(metric="iou", class_name=name) for name in names]
    (tmp_path / SKIPPED).write_text('{"index": 0, "error": "gr\\udcf6n.png is cut off"}\n')
    text = write(table, np.eye(4, dtype=np.int64), consecutive(names))
    assert "| true / recognised | Straße | 木 | gr\\udcf6n\\| | \\$x\\_\\$ |" in text
    assert text.endswith("- gr\\udcf6n.png is cut off\n")
    rows = json.loads((tmp_path / "metrics.json").read_text())
    assert [row["class_name"] for row in rows[1:]] == list(names)


def test_an_evaluation_in_which_no_pixel_counts(striped, evaluated, tmp_path, monkeypatch, caplog):
    evaluator = striped(**{"data.ignored_id": 255, "eval.num_seeds": 2})
    for path in (tmp_path / "val" / "masks").iterdir():
        Image.fromarray(np.full((8, 8), 255, np.uint8)).save(path)

    def see_walls(method, weights, key, example_index, image, **options):
        labels = jnp.zeros(image.values.shape[:3], jnp.int32)
        sure = jnp.ones(labels.shape)
        return SemanticsPrediction(labels, sure, sure, None, sure, jnp.ones(len(labels), jnp.int32))

    monkeypatch.setattr(predictions, "predict_semantics", see_walls)
    with caplog.at_level("WARNING", "symmflow_jax"):
        findings = make_recognition(evaluator)(evaluated)
    assert caplog.messages == [
        "No pixel of 3 examples of paired_folder (test) counts: all are ignored, so their scores "
        "are not defined. See config.data.ignored_id, and --mode=check_data."
    ]
    for name in ("first", "second"):
        (tmp_path / name / "pictures").mkdir(parents=True)
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / name / report.EXAMPLES)
        report.write_report(tmp_path / name, findings, evaluator.schema, "run")

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    text = (tmp_path / "first" / "metrics.json").read_text()
    assert {row["value"] for row in json.loads(text, parse_constant=refuse)} == {None}
    assert "– is not defined: no pixel" in (tmp_path / "first" / "report.md").read_text("utf-8")
    assert "| – |" in compare([tmp_path / "first", tmp_path / "second"], tmp_path / "both")
