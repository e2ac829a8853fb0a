"""The line that mends each usual mistake."""

import numpy as np
import pytest

from symmflow_jax.preparation.check_data import check_data
from symmflow_jax.preparation.survey.remedies import remedies
from symmflow_jax.preparation.survey.survey import examine


def look(experiment):
    source = experiment.training_source
    findings = examine(source, "mask")
    return findings, experiment.schema


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
