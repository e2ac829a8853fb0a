"""Checking data: what is counted, and the line that mends each usual mistake."""

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
from symmflow_jax.preparation.check_data import check_data, describe, examine, remedies

_OF_LABELS = SemanticsConfig(encoding="plane")


@pytest.fixture
def folder(tmp_path):
    """A function that writes masks (and images to them) and returns an experiment with them."""

    def write(masks, names=("sky", "road"), **options) -> Experiment:
        for split in ("train", "val"):
            for kind in ("images", "masks"):
                (tmp_path / split / kind).mkdir(parents=True)
            for number, mask in enumerate(masks):
                mask = np.asarray(mask, np.uint8)
                image = np.zeros((*mask.shape[:2], 3), np.uint8)
                Image.fromarray(image).save(tmp_path / split / "images" / f"{number}.png")
                Image.fromarray(mask).save(tmp_path / split / "masks" / f"{number}.png")
        data = DataConfig(source="paired_folder", dir=str(tmp_path), class_names=names, **options)
        return Experiment(Config(data=data))

    return write


def look(experiment: Experiment):
    source = experiment.training_source
    findings = examine(source, "mask")
    return findings, experiment.schema


def test_sizes_and_classes_are_counted(folder):
    experiment = folder([[[0, 0, 1]], [[1, 255, 255]], [[0, 1], [0, 0]]], ignored_id=255)
    findings, schema = look(experiment)
    assert findings.sizes == {(1, 3): 2, (2, 2): 1}
    assert findings.counts == {0: 5, 1: 3, 2: 2}
    text = describe(findings, schema, "training")
    assert "training: 3 examples, 3 of them readable." in text
    assert "3x1 (2), 2x2 (1)" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["0", "sky", "50.000%"] in lines
    assert ["255", "void", "20.000%", "(ignored)"] in lines
    assert check_data(experiment)


def test_broken_files_are_named(folder, tmp_path):
    experiment = folder([[[0, 1]], [[1, 0]]])
    (tmp_path / "train/images/1.png").write_bytes(b"no picture")
    findings, schema = look(experiment)
    assert "1 of them readable" in describe(findings, schema, "training")
    assert "1.png cannot be read" in describe(findings, schema, "training")
    assert not check_data(experiment)
    assert check_data(experiment.changed({"data.on_error": "skip"}))


@pytest.mark.parametrize(
    ("masks", "names", "remedy"),
    [
        ([[[0, 255]]], ("cat", "dog"), "--config.data.class_ids=0,255"),
        ([[[1, 2]], [[3, 3]]], ("a", "b", "c"), "--config.data.class_ids=1,2,3"),
        ([[[0, 1, 2, 11]]], tuple("abcdefghijk"), "--config.data.ignored_id=11"),
        ([[[0, 1, 255]]], ("a", "b", "c"), "--config.data.ignored_id=255"),
        (
            [[[[255, 0, 0], [0, 0, 128]]]],
            ("a", "b"),
            "--config.data.class_colours=\"('#000080','#ff0000')\"",
        ),
    ],
)
def test_each_usual_mistake_has_its_line(folder, masks, names, remedy):
    experiment = folder(masks, names)
    findings, schema = look(experiment)
    assert not check_data(experiment)
    (line,) = remedies(findings, experiment)
    assert line.endswith(remedy)


@pytest.mark.parametrize(
    ("masks", "options"),
    [
        ([[[0, 255]]], {"class_ids": (0, 255)}),
        ([[[1, 2]]], {"class_ids": (1, 2)}),
        ([[[0, 1, 11]]], {"ignored_id": 11}),
        ([[[[255, 0, 0], [0, 0, 128]]]], {"class_colours": ("#ff0000", "#000080")}),
        (
            [[[[255, 0, 0], [0, 0, 128], [9, 9, 9]]]],
            {"class_colours": ("#ff0000", "#000080", "#090909"), "ignored_id": 2},
        ),
    ],
)
def test_the_line_mends_the_mistake(folder, masks, options):
    experiment = folder(masks, **options)
    assert check_data(experiment)
    element = experiment.training_source[0]
    np.testing.assert_array_equal(element["mask"].ravel(), np.arange(element["mask"].size))


def test_several_unknown_ids_are_listed_with_their_masks(folder):
    experiment = folder([[[0, 7]], [[7, 9]]])
    findings, schema = look(experiment)
    assert remedies(findings, experiment) == [
        "Ids without a class, with the masks that have them: 7 (2), 9 (1)"
    ]


def test_photos_in_place_of_masks_are_told_apart(folder):
    rng = np.random.default_rng(0)
    experiment = folder([rng.integers(0, 256, (20, 20, 3))])
    findings, schema = look(experiment)
    assert "more than 64 colours" in remedies(findings, experiment)[0]


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


def test_a_colour_without_class_is_named(folder):
    experiment = folder([[[[255, 0, 0], [1, 2, 3]]]], class_colours=("#ff0000", "#000080"))
    findings, _ = look(experiment)
    assert "has the colour #010203 (1 in all)" in findings.errors[0]


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
