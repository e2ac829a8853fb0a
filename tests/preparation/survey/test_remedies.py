"""The line that mends each usual mistake."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.preparation.check_data import check_data
from symmflow_jax.preparation.survey.remedies import remedies
from symmflow_jax.preparation.survey.survey import examine


def look(experiment):
    source = experiment.training_source
    findings = examine(source, "mask")
    return findings, experiment.source_schema


@pytest.mark.parametrize(
    ("masks", "names", "remedy"),
    [
        ([[[0, 255]]], ("cat", "dog"), "--config.data.class_ids=0,255"),
        ([[[0, 255]], [[255, 255]]], ("cat", "dog"), "--config.data.class_ids=0,255"),
        ([[[1, 2]], [[3, 3]]], ("a", "b", "c"), "--config.data.class_ids=1,2,3"),
        ([[[0, 127]], [[255, 0]]], ("a", "b", "c"), "--config.data.class_ids=0,127,255"),
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


def _replace(tmp_path, ids, dtype):
    for split in ("train", "val"):
        Image.fromarray(np.array(ids, dtype)).save(tmp_path / split / "masks" / "0.png")


@pytest.mark.parametrize(
    ("ids", "options", "keys"),
    [
        ([[0, 65535]], {}, {"data.class_ids": (0, 65535)}),
        (
            [[0, 257, 65535]],
            {"ignored_id": 255},
            {"data.class_ids": (0, 257), "data.ignored_id": 65535},
        ),
    ],
)
def test_stretched_ids_name_the_keys(folder, tmp_path, ids, options, keys):
    experiment = folder([np.zeros_like(ids)], **options)
    _replace(tmp_path, ids, np.uint16)
    assert not check_data(experiment)
    (line,) = remedies(examine(experiment.training_source, "mask"), experiment)
    for key, value in keys.items():
        text = ",".join(map(str, value)) if isinstance(value, tuple) else value
        assert f"--config.{key}={text}" in line
    mended = experiment.changed(keys)
    assert check_data(mended)
    assert mended.training_source[0]["mask"].tolist() == [list(range(len(ids[0])))]


def test_instances_name_the_command(folder, tmp_path, run_advice):
    experiment = folder([[[0, 0, 0]]])
    _replace(tmp_path, [[0, 1000, 1001]], np.uint16)
    assert not check_data(experiment)
    (line,) = remedies(examine(experiment.training_source, "mask"), experiment)
    assert line.startswith("The masks hold ids of instances (class * 1000 + n); write ids to masks")
    path = tmp_path / "train" / "masks" / "0.png"
    np.testing.assert_array_equal(run_advice(f"{path}: {line}", path), [[0, 1, 1]])


def test_segments_that_differ_from_mask_to_mask_are_told(folder):
    rng = np.random.default_rng(0)
    experiment = folder([rng.integers(256, size=(4, 4, 3)) for _ in range(5)])
    (line,) = remedies(examine(experiment.training_source, "mask"), experiment)
    assert "they may number segments, as in COCO panoptic" in line and "masks.json" in line
