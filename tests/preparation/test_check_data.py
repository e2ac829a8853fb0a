"""Checking data: what can be used, and what cannot."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.preparation.check_data import check_data
from symmflow_jax.preparation.survey.description import describe
from symmflow_jax.preparation.survey.survey import examine


def look(experiment):
    source = experiment.training_source
    findings = examine(source, "mask")
    return findings, experiment.schema


def test_broken_files_are_named(folder, tmp_path):
    experiment = folder([[[0, 1]], [[1, 0]]])
    (tmp_path / "train/images/1.png").write_bytes(b"no picture")
    findings, schema = look(experiment)
    assert "1 of them readable" in describe(findings, schema, "training")
    assert "1.png cannot be read" in describe(findings, schema, "training")
    assert not check_data(experiment)
    assert check_data(experiment.changed({"data.on_error": "skip"}))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class_ids": (1, 2, 3)}, "class_ids has 3 ids for 2 class_names"),
        ({"class_colours": ("#000000",)}, "class_colours has 1 colours for 2 classes"),
        ({"class_colours": ("red", "blue")}, "'red' is not written as in '#ff0080'"),
    ],
)
def test_lists_that_do_not_fit_are_refused(folder, options, message):
    with pytest.raises(ValueError, match=message):
        check_data(folder([[[0, 1]]], **options))


def test_drawn_data_needs_no_files(tiny_experiment):
    assert check_data(tiny_experiment())


def test_jpegs_with_another_name_are_refused(folder, tmp_path):
    experiment = folder([[[0, 1]], [[1, 0]]])
    Image.new("L", (2, 1)).save(tmp_path / "train/masks/1.png", format="JPEG")
    findings, schema = look(experiment)
    assert "1.png is a JPEG by its content" in describe(findings, schema, "training")
    assert not check_data(experiment)


def test_too_large_pictures_are_skipped_if_errors_are(folder, tmp_path):
    experiment = folder(
        [[[0, 1]], np.zeros((4, 4))], max_megapixels=1e-5, on_error="skip", image_size=(2, 2)
    )
    findings, schema = look(experiment)
    (error,) = findings.errors
    assert "1.png has 4x4 pixels" in error and "more than the limit of 1e-05" in error
    batch = next(experiment.changed({"train.batch_size": 4}).training_batches(tmp_path / "skipped"))
    assert batch.labels.shape == (4, 2, 2)
    assert "more than the limit" in (tmp_path / "skipped").read_text()
