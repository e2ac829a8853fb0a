import numpy as np
import pytest

from symmflow_jax.evaluation.measurement import Protocol, over_seeds
from symmflow_jax.evaluation.scores.masks.segmentation import segmentation
from symmflow_jax.metrics.confusion import ConfusionMatrix
from symmflow_jax.metrics.masks.overlap import MaskOverlap
from symmflow_jax.semantics import labels

_SCHEMA = labels.consecutive(("sky", "road", "tree"), ignored_id=3)
_PROTOCOL = Protocol(
    task="segmentation",
    dataset="streets",
    split="val",
    image_size=(4, 4),
    crop="centre",
    weights="ema",
    train_step=1,
    seeds=(0,),
)
# Half sky and half road, whose lower right quarter is void; road is taken for sky in one row.
_TARGET = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 3, 3], [0, 0, 3, 3]], np.int32)
_PREDICTION = np.array([[0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 2, 2]], np.int32)


def _scores(with_overlap: bool):
    counts = ConfusionMatrix.from_masks(_TARGET, _PREDICTION, 4).compute()
    overlap = MaskOverlap.from_masks(_TARGET, _PREDICTION, 4, _SCHEMA.ignored)
    given = overlap if with_overlap else None
    return segmentation(counts, _SCHEMA, "model", _PROTOCOL, 1, 1.0, given)


def test_scores_of_pixels_alone():
    scores = _scores(False)
    assert scores.values.keys() == {"miou", "pixel_accuracy", "frequency_weighted_iou"}
    assert scores.values["miou"] == pytest.approx((0.8 + 0.5) / 2)
    assert scores.by_class == {"iou": pytest.approx({"sky": 0.8, "road": 0.5})}


def test_scores_of_boundaries_and_images():
    scores = _scores(True)
    assert scores.values["dice"] == pytest.approx((16 / 18 + 2 / 3) / 2)
    assert scores.values["miou_by_image"] == pytest.approx(scores.values["miou"])
    assert scores.values["dice_by_image"] == pytest.approx(scores.values["dice"])
    assert scores.by_class["precision"] == pytest.approx({"sky": 0.8, "road": 1.0})
    assert scores.by_class["recall"] == pytest.approx({"sky": 1.0, "road": 0.5})
    # In so small an image every pixel is on a boundary.
    assert scores.by_class["boundary_iou"] == pytest.approx(scores.by_class["iou"])
    names = {(m.metric, m.class_name) for m in over_seeds([scores]) if m.class_name}
    assert {("boundary_iou", "road"), ("recall", "sky")} <= names and len(names) == 10
