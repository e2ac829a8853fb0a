"""Pictures in, a table of labels out."""

import csv
import os
import pathlib

import numpy as np
import pytest

from symmflow_jax.data.source import DataError
from symmflow_jax.inference.files.classification import classify_files
from symmflow_jax.inference.model import Model
from symmflow_jax.runtime.outputs import OutputError

_OPTIONS = {"seed": 0, "num_steps": 1, "ensemble_size": 1}


def _rows(path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_a_table_tells_names_of_other_encodings(plane_model, photos, tmp_path, answer):
    (photos / "dog.png").rename(photos / os.fsdecode(b"d\xf6g.png"))
    answer(np.int32(1), np.float32(1), np.float32(0), signal=np.zeros((8, 8, 1), np.float32))
    path = classify_files(plane_model, str(photos), tmp_path / "out.csv", **_OPTIONS)
    assert "\nd\\xf6g.png,1," in path.read_text("utf-8").replace("\r\n", "\n")
    with pytest.raises(OutputError, match=r"out\.csv exists already\. Give --overwrite"):
        classify_files(plane_model, str(photos), path, **_OPTIONS)


def test_a_table_of_a_read_out(plane_model, picture, tmp_path, answer):
    # Codes of four classes from -2 to 2: a fifth of the way from the second to the third.
    signal = np.full((8, 8, 1), -2 + 4 / 3 * 1.2, np.float32)
    # Those of several draws, of which the signal is the first one.
    distances = np.float32([1.5, 0.5, 0.75, 1.75])
    answer(np.int32(1), np.float32(0.8), np.float32(0.25), signal=signal, distances=distances)
    (row,) = _rows(classify_files(plane_model, picture, tmp_path, **_OPTIONS))
    assert row == {
        "file": "picture.png",
        "label": "1",
        "name": "square",
        "read_out": "1.2000",
        "distance": "0.5000",
        "distance_to_next": "0.8000",
        "confidence": "0.8000",
        "entropy": "0.2500",
    }


def test_a_table_of_probabilities(random_model, picture, tmp_path, answer, monkeypatch):
    model = random_model(**{"semantics.encoding": "onehot"})
    # The same codes for labels, as of a source that has no masks.
    monkeypatch.setattr(Model, "reads_masks", property(lambda self: False))
    answer(np.int32(3), np.float32(0.6), np.float32(1.0), np.float32([0, 0.1, 0.2, 0.6, 0.1]))
    (row,) = _rows(classify_files(model, picture, tmp_path / "a.csv", **_OPTIONS))
    assert row == {
        "file": "picture.png",
        "label": "3",
        "name": "triangle",
        "confidence": "0.6000",
        "entropy": "1.0000",
        "p(background)": "0.0000",
        "p(circle)": "0.1000",
        "p(square)": "0.2000",
        "p(triangle)": "0.6000",
        "p(cross)": "0.1000",
    }


def test_a_label_that_is_not_sure_is_left_out(plane_model, picture, tmp_path, answer):
    answer(np.int32(1), np.float32(0.8), np.float32(0), signal=np.zeros((8, 8, 1), np.float32))
    found = {}
    for bound in (0.7, 0.9):
        path = tmp_path / f"{bound}.csv"
        classify_files(plane_model, picture, path, **_OPTIONS, min_confidence=bound)
        (found[bound],) = _rows(path)
    assert (found[0.7]["label"], found[0.7]["name"]) == ("1", "square")
    assert (found[0.9]["label"], found[0.9]["name"]) == ("", "unsure")
    assert found[0.9]["confidence"] == "0.8000"


def test_an_output_that_cannot_be_is_one_line_before_the_model_runs(
    plane_model, photos, tmp_path, monkeypatch
):
    monkeypatch.setattr(Model, "predict_semantics", None)
    (tmp_path / "file").touch()
    (tmp_path / "table.csv").mkdir()
    for output, message in (
        (tmp_path / "file", r"file cannot be a folder to write to: .*file is a file\. Give"),
        (pathlib.Path("/proc/masks"), r"/proc/masks cannot be written: no file can be made in"),
        (tmp_path / "table.csv", r"table\.csv is a folder, but a file"),
    ):
        with pytest.raises(OutputError, match=message):
            classify_files(plane_model, str(photos), output, **_OPTIONS)


def test_a_full_disk_leaves_no_half_file(plane_model, photos, tmp_path, answer, full_disk):
    answer(np.int32(1), np.float32(1), np.float32(0), signal=np.zeros((8, 8, 1), np.float32))
    # What is compiled is kept on disk, too.
    classify_files(plane_model, str(photos), tmp_path / "first", **_OPTIONS)
    with full_disk(), pytest.raises(OutputError, match=r"out/.* could not be written: .* Free sp"):
        classify_files(plane_model, str(photos), tmp_path / "out", **_OPTIONS)
    assert not list((tmp_path / "out").iterdir())


def test_one_broken_picture_among_many_is_told_at_the_end(plane_model, photos, tmp_path, answer):
    (photos / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    answer(np.int32(1), np.float32(1), np.float32(0), signal=np.zeros((8, 8, 1), np.float32))
    message = r"1 of 4 inputs .* of the others is in .*out.* The first: .*broken\.png cannot"
    with pytest.raises(DataError, match=message):
        classify_files(plane_model, str(photos), tmp_path / "out.csv", **_OPTIONS)
    rows = _rows(tmp_path / "out.csv")
    assert [row["file"] for row in rows] == ["cat.jpg", "cat.png", "dog.png"]


def test_a_model_of_masks_is_refused(mask_model, picture, tmp_path):
    with pytest.raises(ValueError, match=r"reads masks, not labels; use --mode=segment"):
        classify_files(mask_model, picture, tmp_path, **_OPTIONS)
