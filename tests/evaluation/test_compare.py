"""Runs beside each other, from the files that their evaluations left."""

import os

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.evaluation.compare import compare
from symmflow_jax.evaluation.cost import Cost
from symmflow_jax.evaluation.measurement import Measurement, Protocol
from symmflow_jax.runtime import files
from symmflow_jax.runtime.outputs import OutputError


def _measurement(metric: str, value: float, solver: str | None = "euler", **changes) -> Measurement:
    protocol = {
        "task": "segmentation",
        "dataset": "shapes",
        "split": "test",
        "image_size": (32, 48),
        "crop": "centre",
        "weights": "ema",
        "train_step": 30,
        "seeds": (7, 8),
        "solver": solver,
        "num_steps": 1,
    } | changes
    return Measurement(metric=metric, value=value, num_examples=9, protocol=Protocol(**protocol))


@pytest.fixture
def run(tmp_path):
    """A function that leaves an evaluated run with a grey picture."""

    def leave(name: str, table: list[Measurement], width: int = 20):
        folder = tmp_path / name
        files.write_image(folder / "pictures/examples.png", np.full((8, width, 3), 90, "u1"))
        files.write_json(folder / "metrics.json", [m.to_json() for m in table])
        return folder

    return leave


def test_a_measurement_comes_back_from_its_json():
    measurement = _measurement("miou", 0.5, clock="clean")
    assert Measurement.from_json(measurement.to_json()) == measurement


def test_scores_stand_by_metric_then_run_under_their_steps(run, tmp_path):
    first = run("first", [_measurement("miou", 0.5), _measurement("miou", 0.25, num_steps=2)])
    second = run(
        "second",
        [
            _measurement("miou", 0.75),
            _measurement("aurc", 0.125),
            _measurement("loss", 3.0, solver=None, task="objective"),
        ],
    )
    text = compare([first, second], tmp_path / "out")
    assert text.splitlines()[2:9] == [
        "## Segmentation",
        "",
        "| metric | run | euler 1 | euler 2 |",
        "| --- | --- | --- | --- |",
        "| miou | first | 0.5000 | 0.2500 |",
        "| miou | second | 0.7500 |  |",
        "| aurc | first |  |  |",
    ]
    assert "3.0" not in text, "losses of different encodings have nothing in common"
    assert "- first: 9 examples of shapes (test)" in text
    assert (tmp_path / "out/comparison.md").read_text().startswith(text)


def test_scores_of_several_protocols_are_not_compared_without_a_word(run, tmp_path):
    first = run("first", [_measurement("miou", 0.5)])
    second = run("second", [_measurement("miou", 0.75, conventions="published")])
    text = compare([first, second], tmp_path / "out")
    assert "These scores follow several protocols (ours, published)" in text
    assert "several protocols" not in compare([first, first], tmp_path / "same")


def test_pictures_stand_side_by_side(run, tmp_path):
    folders = [run("first", [], width=20), run("second", [], width=12)]
    compare(folders, tmp_path)
    with Image.open(tmp_path / "comparison.png") as picture:
        pixels = np.asarray(picture)
    assert pixels.shape == (14 + 8, 32, 3)
    assert (pixels[14:] == 90).all() and (pixels[:14] < 255).any()


def test_a_comparison_is_replaced_only_on_request(run, tmp_path):
    folders = [run("first", []), run("second", [])]
    compare(folders, tmp_path / "out")
    with pytest.raises(OutputError, match=r"comparison\.md exists already \(2 of 2 files"):
        compare(folders, tmp_path / "out")
    compare(folders, tmp_path / "out", overwrite=True)


def test_what_cannot_be_compared_is_named(run, tmp_path):
    whole = run("whole", [])
    with pytest.raises(ValueError, match=r"--runs names fewer than two folders"):
        compare([whole], tmp_path)
    with pytest.raises(
        ValueError, match=r"metrics\.json does not exist; evaluate .*workdir=.*gone"
    ):
        compare([whole, tmp_path / "gone"], tmp_path)


@pytest.mark.parametrize("path", ["metrics.json", "pictures/examples.png"])
@pytest.mark.parametrize("content", ["", "[{", "{}", '[{"value": 1}]', "[3]", '"a"'])
def test_damaged_files_are_named(run, tmp_path, path, content):
    folder = run("first", [_measurement("miou", 0.5)])
    (folder / path).write_text(content)
    with pytest.raises(ValueError, match=r"is damaged \(.*--mode=evaluate") as error:
        compare([folder, folder], tmp_path / "out")
    assert path in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("path", ["metrics.json", "pictures/examples.png"])
def test_pipes_are_not_waited_for(run, tmp_path, path):
    folder = run("first", [_measurement("miou", 0.5)])
    (folder / path).unlink()
    os.mkfifo(folder / path)
    with pytest.raises(ValueError, match=f"{path} is no file; evaluate the run first"):
        compare([folder, folder], tmp_path / "out")


def test_costs_stand_below_the_scores(run, tmp_path):
    folders = [run(name, [_measurement("miou", 0.5)]) for name in ("first", "second", "older")]
    costs = (Cost(1_234_567, 5.25e9, 300, 2_400, 61.4), Cost(1_234_567, None, 300, 2_400, None))
    for folder, of_run in zip(folders, costs, strict=False):
        files.write_json(folder / "cost.json", of_run.to_json())
    text = compare(folders, tmp_path / "out")
    assert "| first | 1,234,567 | 5.25 | 300 | 2,400 | 61 s |" in text
    assert "| second | 1,234,567 |  | 300 | 2,400 |  |" in text
    assert "| older | 1" not in text
    without = compare([folders[2], folders[2]], tmp_path / "other")
    assert "## Cost" not in without


def test_a_run_without_a_score_has_no_row_of_it(run, tmp_path):
    reads = run("reads", [_measurement("miou", 0.5)])
    makes = run("makes", [_measurement("agreement_miou", 0.25, task="generation")])
    text = compare([reads, makes], tmp_path / "out")
    assert "| miou | reads | 0.5000 |" in text and "| miou | makes |" not in text
    assert "| agreement_miou | makes | 0.2500 |" in text
