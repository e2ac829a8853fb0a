"""Checking data: what can be used, and what cannot."""

import logging
import os
import pathlib
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.values import Config, DataConfig, SemanticsConfig
from symmflow_jax.data.source import DataError
from symmflow_jax.preparation.check_data import check_data
from symmflow_jax.preparation.survey.description import describe
from symmflow_jax.preparation.survey.survey import examine

_OF_LABELS = SemanticsConfig(encoding="plane")


def look(experiment):
    source = experiment.training_source
    findings = examine(source, "mask")
    return findings, experiment.source_schema


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


def test_names_beyond_the_letters_of_the_locale(folder, tmp_path):
    folder([[[0, 1]], [[1, 0]]])
    for split in ("train", "val"):
        for kind in ("images", "masks"):
            named = os.fsencode(tmp_path / split / kind)
            os.rename(named + b"/0.png", named + b"/gr\xf6\xdfe.png")
        (tmp_path / split / "images" / os.fsdecode(b"gr\xf6\xdfe.png")).write_bytes(b"no image")
    config = tmp_path / "umlauts.py"
    config.write_text(
        "from tests.configs import tiny\n\ndef get_config():\n    config = tiny.get_config()\n"
        "    config.data.class_names = ('Straße', '木')\n    return config\n",
        encoding="utf-8",
    )
    root = pathlib.Path(__file__).parents[2]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "symmflow_jax.main", "--mode=check_data"),
            *(f"--config={config}", "--config.data.source=paired_folder"),
            f"--config.data.dir={tmp_path}",
        ],
        cwd=root,
        env=os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        capture_output=True,
        check=False,
    )
    lines = done.stderr.decode("ascii").splitlines()
    assert done.returncode == 1 and done.stdout == b""
    assert any(re.search(r"0  Stra\\xdfe +50\.000%", line) for line in lines)
    assert any(r"images/gr\udcf6\udcdfe.png cannot be read as an image" in line for line in lines)
    assert lines[-1].startswith("Error: training would stop at the examples marked with")


def test_files_that_are_not_used_are_named_once_for_each_split(folder, tmp_path, caplog):
    experiment = folder([[[0, 1]], [[1, 0]]])
    for split in ("train", "val"):
        for name in ("a.gif", "list.txt", "._0.png", "Thumbs.db"):
            (tmp_path / split / "images" / name).touch()
    with caplog.at_level("INFO"):
        assert check_data(experiment)
    notes = [r.getMessage() for r in caplog.records if "not used" in r.getMessage()]
    assert notes == [
        f"{tmp_path}/{split}/images: 2 pairs; not used in {tmp_path}/{split}/images: 2 files of "
        "other kinds (.gif 1, .txt 1; .gif: save them as .png)."
        for split in ("train", "val")
    ]


def test_an_archive_of_another_kind_comes_with_the_line_that_converts_it(tmp_path):
    images, labels = np.zeros((4, 3, 8, 8)), np.eye(4)
    np.savez(tmp_path / "set.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    config = Config(data=DataConfig(source="npz", dir=str(tmp_path)), semantics=_OF_LABELS)
    with pytest.raises(DataError) as error:
        check_data(Experiment(config))
    exec(shlex.split(str(error.value).partition("follows): ")[2])[2], {})
    converted = DataConfig(source="npz", dir=str(tmp_path / "set_converted.npz"))
    assert check_data(Experiment(Config(data=converted, semantics=_OF_LABELS)))


def test_jpegs_with_another_name_are_refused(folder, tmp_path):
    experiment = folder([[[0, 1]], [[1, 0]]])
    Image.new("L", (2, 1)).save(tmp_path / "train/masks/1.png", format="JPEG")
    findings, schema = look(experiment)
    assert "1.png is a JPEG by its content" in describe(findings, schema, "training")
    assert not check_data(experiment)


def test_too_large_pictures_are_skipped_if_errors_are(folder, tmp_path):
    experiment = folder(
        [[[0, 1]], np.zeros((4, 4))], max_megapixels=1e-5, on_error="skip", image_size=(8, 8)
    )
    findings, schema = look(experiment)
    (error,) = findings.errors
    assert "1.png has 4x4 pixels" in error and "more than the limit of 1e-05" in error
    batch = next(experiment.changed({"train.batch_size": 4}).training_batches(tmp_path / "skipped"))
    assert batch.labels.shape == (4, 8, 8)
    assert "more than the limit" in (tmp_path / "skipped").read_text()


def test_what_is_learned_beside_the_split_is_told(tiny_experiment, tmp_path, caplog, monkeypatch):
    labels = np.array([0, -1, 1, -1, -1])
    images = np.zeros((5, 8, 8), np.uint8) + np.uint8(200)
    np.savez(tmp_path / "set.npz", train_images=images, train_labels=labels,
             test_images=images[:2], test_labels=np.array([0, 1]))  # fmt: skip
    more = tmp_path / "more"
    more.mkdir()
    for name in "ab":
        Image.fromarray(images[0]).save(more / f"{name}.png")
    experiment = tiny_experiment(
        **{
            "data.source": "npz",
            "data.dir": str(tmp_path / "set.npz"),
            "data.unlabelled": "learn",
            "data.unlabelled_images": str(more),
            "semantics.encoding": "plane",
            "train.clock": "independent",
        }
    )
    monkeypatch.setattr(logging.getLogger("symmflow_jax"), "propagate", True)
    with caplog.at_level("INFO"):
        assert check_data(experiment)
    assert "5 examples (5 without a mask or label), a share of 0.5" in caplog.text
    (more / "b.png").write_bytes(b"no picture")
    assert not check_data(experiment.changed({"train.batch_size": 4}))
