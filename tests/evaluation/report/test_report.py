"""The report of a table of measurements."""

import dataclasses
import json

import numpy as np
import pytest

from symmflow_jax.evaluation.findings import Confusion, Findings
from symmflow_jax.evaluation.measurement import Measurement, Protocol, Scores, over_seeds, score
from symmflow_jax.evaluation.report import plots, report
from symmflow_jax.metrics.calibration import RiskCoverage
from symmflow_jax.runs.folder import SKIPPED, History
from symmflow_jax.semantics.labels import consecutive

_SCHEMA = consecutive(("sky", "road"))
_PROTOCOL = Protocol(
    task="segmentation",
    dataset="shapes",
    split="test",
    image_size=(32, 48),
    crop="centre",
    scored_size="model",
    solver="euler",
    num_steps=1,
    weights="ema",
    train_step=30,
    seeds=(7,),
)


def test_the_protocol_says_what_read_the_masks(write):
    for decoder, words in (("own", "a decoder of their own"), ("images", "the decoder of images")):
        assert f"masks read by {words}" in write([_measurement({"mask_decoder": decoder})])
    assert "masks read by" not in write([_measurement()])


def _measurement(protocol=None, **changes) -> Measurement:
    values = {"metric": "miou", "value": 0.5, "num_examples": 500, "nfe": 1.0} | changes
    return Measurement(**values, protocol=dataclasses.replace(_PROTOCOL, **(protocol or {})))


@pytest.fixture
def table():
    rk4 = {"solver": "rk4", "num_steps": 2}
    dopri5 = {"solver": "dopri5", "num_steps": None, "tolerance": 1e-3}
    objective = {"task": "objective", "solver": None, "num_steps": None, "scored_size": None}
    return [
        _measurement(),
        _measurement(metric="pixel_accuracy", value=0.75),
        _measurement(rk4, nfe=8.0, value=0.625),
        _measurement(rk4, nfe=8.0, metric="pixel_accuracy", value=0.8),
        _measurement(dopri5, nfe=23.46, value=0.65),
        _measurement(dopri5, nfe=23.46, metric="pixel_accuracy", value=1.0),
        _measurement(objective, nfe=None, metric="loss"),
    ]


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


def test_a_row_for_each_solver_and_number_of_steps(table, write):
    lines = write(table).splitlines()
    assert lines[0] == "# run, step 30"
    start = lines.index("## Segmentation")
    assert lines[start + 2 : start + 7] == [
        "| solver | steps | draws | NFE | miou | pixel_accuracy |",
        "| --- | --- | --- | --- | --- | --- |",
        "| euler | 1 | 1 | 1.0 | 0.5000 | 0.7500 |",
        "| rk4 | 2 | 1 | 8.0 | 0.6250 | 0.8000 |",
        "| dopri5, tolerance 0.001 |  | 1 | 23.5 | 0.6500 | 1.0000 |",
    ]
    assert lines[start + 8] == (
        "500 examples of shapes (test); centre crop at 32x48; masks compared at the model size; "
        "ema weights of step 30; seed 7."
    )
    assert "## Objective" in lines and "![examples](pictures/examples.png)" in lines
    assert "Beside the paper" not in "".join(lines)


def test_sizes_stand_side_by_side_with_their_difference(write):
    text = write([_measurement(), _measurement({"scored_size": "original"}, value=0.47)])
    assert "| miou | miou, original size | miou, difference |\n" in text
    assert "| 0.5000 | 0.4700 | -0.0300 |\n" in text
    assert "\nmiou, original size: 500 examples" in text


def test_spreads_stand_behind_their_means(write):
    repeats = [
        Scores(
            values={"miou": value},
            num_examples=9,
            nfe=1.0,
            class_iou={"sky": value} | ({"road": 0.5} if value == 0.5 else {}),
            protocol=dataclasses.replace(_PROTOCOL, seeds=(seed,)),
        )
        for seed, value in ((7, 0.5), (8, 0.6))
    ]
    table = over_seeds(repeats)
    assert table[0].value == pytest.approx(0.55)
    assert table[0].spread == pytest.approx(0.1 / np.sqrt(2))
    assert {m.class_name: m.value for m in table[1:]} == {"sky": table[0].value, "road": 0.5}
    text = write(table)
    assert "| 0.5500 ± 0.0707 |" in text
    assert "mean ± standard deviation of seeds 7, 8." in text


def test_the_paper_stands_beside_it(write, tmp_path):
    coco = {"dataset": "coco_stuff"}
    table = [_measurement(coco), _measurement(coco | {"num_steps": 5}, nfe=5.0, value=0.6)]
    text = write(table)
    name = "COCO-Stuff, segmentation: miou"
    assert f"| {name} | 1 | 0.2930 | 0.5000 (model size) |" in text
    assert f"| {name} | 2 | 0.3380 |  |" in text  # Not measured here.
    assert f"{name} in the paper: macro mean over the 171 classes" in text
    assert "![miou by NFE](pictures/segmentation_miou.png)" in text
    assert (tmp_path / "pictures/segmentation_miou.png").stat().st_size > 1_000


def test_qualities_at_one_cost_make_no_plot(table):
    assert plots.plottable(table) == [("segmentation", "miou")]
    assert plots.plottable(table[:2] + table[-1:]) == []


def test_a_row_for_each_class(table, write):
    classes = [
        _measurement(metric="iou", value=0.25, class_name="sky"),
        _measurement(metric="iou", value=0.75, class_name="road"),
        _measurement({"num_steps": 2}, metric="iou", value=0.5, nfe=2.0, class_name="road"),
    ]
    text = write(table + classes)
    assert text.count("| euler | 1 |") == 1
    assert "| class | euler 1 | euler 2 |\n" in text
    assert "| sky | 0.2500 |  |\n| road | 0.7500 | 0.5000 |\n" in text
    assert report.scalars(classes) == {} and report.summary(classes) == ""


def test_few_classes_are_confused_in_a_table_and_many_in_a_picture(write, tmp_path):
    table = [_measurement({"task": "classification", "scored_size": None}, metric="accuracy")]
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
    protocol = json.loads(json.dumps(dataclasses.asdict(_PROTOCOL)))
    expected = {"metric": "miou", "value": 0.5, "num_examples": 500, "nfe": 1.0}
    assert read[0] == protocol | expected | {"spread": None, "class_name": None}


def test_scalars_and_summary_are_named_by_what_was_measured(table):
    original = _measurement({"scored_size": "original"}, value=0.3)
    assert report.scalars(table)["eval/segmentation/miou_rk4_2"] == 0.625
    assert report.scalars([*table, original])["eval/segmentation/miou_euler_1"] == 0.5
    assert report.scalars([original]) == {"eval/segmentation/miou_euler_1_original": 0.3}
    assert report.scalars(table)["eval/objective/loss"] == 0.5
    assert report.summary(table[:1]) == "miou_euler_1 0.5000"


def test_checkpoints_are_compared_at_the_model_size(table):
    assert score([_measurement({"scored_size": "original"}, value=0.3), *table]) == 0.5
