"""Classes that are empty, shifted by one, or ignored without need."""

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.preparation.check_data import check_data
from symmflow_jax.preparation.survey.class_doubts import doubts
from symmflow_jax.preparation.survey.survey import examine

_NAMES = ("sky", "road", "tree")


def _lines(experiment):
    found = [examine(s, "mask") for s in (experiment.training_source, experiment.evaluation_source)]
    return doubts(*found, experiment)


def test_all_classes_raise_no_doubt(folder):
    assert _lines(folder([[[0, 1, 2]]], _NAMES)) == []


def test_an_empty_class_is_named(folder):
    assert _lines(folder([[[0, 1, 0]]], _NAMES)) == [
        "In no training mask there is 'tree' (id 2): 1 of 3 classes cannot be learned; take what "
        "is not there out of config.data.class_names, or look at the ids."
    ]


def test_a_class_of_the_evaluation_split_alone_is_named(folder, tmp_path):
    experiment = folder([[[0, 1, 0]]], _NAMES)
    Image.fromarray(np.asarray([[0, 2, 2]], np.uint8)).save(tmp_path / "val/masks/0.png")
    assert _lines(experiment)[1] == (
        "Of these, the evaluation split has 'tree' (id 2): their scores will be 0. Move examples "
        "of them to the training split."
    )


def test_shifted_ids_are_told_though_all_of_them_have_a_class(folder):
    experiment = folder([[[1, 2]], [[2, 2]]], _NAMES)
    (line,) = _lines(experiment)
    assert line.startswith("No mask has the id 0 ('sky'): the ids may be shifted by one.")
    assert line.endswith("--config.data.class_ids=1,2,3")
    mended = experiment.changed({"data.class_ids": (1, 2, 3)})
    assert "'tree' (id 3)" in _lines(mended)[0]
    assert mended.training_source[0]["mask"].tolist() == [[0, 1]]


def test_a_class_that_is_ignored_as_255_is_told(folder):
    experiment = folder([[[0, 255]]], ("other", "road"), ignored_id=255)
    (line,) = _lines(experiment)
    assert line.startswith("The masks hold only 0 and 255, and 255 is ignored")
    mended = experiment.changed({"data.class_ids": (0, 255), "data.ignored_id": None})
    assert check_data(mended) and _lines(mended) == []


@pytest.mark.parametrize(("num_ignored", "is_told"), [(19, True), (2, False)])
def test_masks_that_are_ignored_almost_wholly_are_told(folder, num_ignored, is_told):
    mask = [0, 1, 2] + [255] * num_ignored * 3
    lines = _lines(folder([[mask]], _NAMES, ignored_id=255))
    assert lines == (
        [
            "95.0% of the training pixels are of the ignored 'void' (id 255); hardly anything is "
            "learned from them. Look at config.data.ignored_id."
        ]
        if is_told
        else []
    )
