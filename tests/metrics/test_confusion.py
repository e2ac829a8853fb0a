"""Scores against hand-worked cases and an independent count."""

import pathlib

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, strategies as st

from symmflow_jax.metrics import confusion
from symmflow_jax.metrics.confusion import ConfusionMatrix

pytestmark = pytest.mark.slow


def _count(targets, predictions, valid, num_classes=3) -> np.ndarray:
    matrix = ConfusionMatrix.from_labels(
        jnp.asarray(targets), jnp.asarray(predictions), jnp.asarray(valid), num_classes
    )
    return ConfusionMatrix.empty(num_classes).merge(matrix).compute()


def test_a_case_worked_by_hand():
    targets = [[0, 0, 1, 1, 2, 2]]
    predictions = [[0, 1, 1, 1, 2, 0]]
    counts = _count(targets, predictions, [True])
    np.testing.assert_array_equal(counts, [[1, 1, 0], [0, 2, 0], [1, 0, 1]])
    # Class 0: one right, one missed, one too many; and so on.
    np.testing.assert_allclose(confusion.class_iou(counts), [1 / 3, 2 / 3, 1 / 2])
    assert confusion.mean_iou(counts) == pytest.approx(0.5)
    assert confusion.accuracy(counts) == pytest.approx(4 / 6)


def test_frequent_classes_weigh_more():
    counts = _count([[0, 0, 0, 1, 2, 2]], [[0, 0, 1, 1, 2, 2]], [True])
    # IoU 2/3, 1/2 and 1, with three, one and two pixels; without the last class three and one.
    assert confusion.frequency_weighted_iou(counts) == pytest.approx((2 + 1 / 2 + 2) / 6)
    assert confusion.frequency_weighted_iou(counts, (2,)) == pytest.approx((2 + 1 / 2) / 4)
    assert np.isnan(confusion.frequency_weighted_iou(np.zeros((3, 3), np.int64)))


def test_ignored_pixels_count_on_neither_side():
    targets = [[0, 0, 1, 2, 2, 2]]
    predictions = [[0, 2, 1, 0, 1, 2]]
    counts = _count(targets, predictions, [True])
    # Only the first three pixels count. Predicting the ignored class there misses class 0;
    # what is predicted on ignored pixels is no false positive.
    np.testing.assert_allclose(confusion.class_iou(counts, ignored=(2,)), [1 / 2, 1, np.nan])
    assert confusion.mean_iou(counts, ignored=(2,)) == pytest.approx(0.75)
    assert confusion.accuracy(counts, ignored=(2,)) == pytest.approx(2 / 3)


def test_absent_classes_are_left_out_of_the_mean():
    counts = _count([[0, 0, 1, 1]], [[0, 0, 1, 1]], [True], num_classes=5)
    assert confusion.mean_iou(counts) == 1.0


@pytest.mark.parametrize(
    "case", ["all", "ignored", "ignored_predicted", "absent", "only_predicted"]
)
def test_scores_are_those_of_torchmetrics(case):
    path = pathlib.Path(__file__).parents[1] / "fixtures" / "segmentation_scores.npz"
    with np.load(path) as file:
        values = {key.split("/")[1]: file[key] for key in file.files if key.startswith(f"{case}/")}
    counts = _count(values["targets"], values["predictions"], [True] * 3, num_classes=6)
    ignored = tuple(values["ignored"].tolist())
    assert confusion.mean_iou(counts, ignored) == pytest.approx(values["macro"], rel=1e-6)
    assert confusion.accuracy(counts, ignored) == pytest.approx(values["accuracy"], rel=1e-6)
    # Classes that are not there are not a number here and 0 there; no mean has them.
    by_class = np.nan_to_num(confusion.class_iou(counts, ignored))
    np.testing.assert_allclose(by_class, values["by_class"], rtol=1e-6)
    for name in ("dice", "precision", "recall"):
        of_name = getattr(confusion, f"class_{name}")(counts, ignored)
        np.testing.assert_allclose(np.nan_to_num(of_name), values[name], rtol=1e-6)


def test_dice_precision_and_recall_of_a_known_matrix():
    counts = np.array([[6, 2, 0], [1, 3, 0], [0, 0, 0]])
    np.testing.assert_allclose(confusion.class_dice(counts), [12 / 15, 6 / 9, np.nan])
    np.testing.assert_allclose(confusion.class_precision(counts), [6 / 7, 3 / 5, np.nan])
    np.testing.assert_allclose(confusion.class_recall(counts), [6 / 8, 3 / 4, np.nan])
    np.testing.assert_allclose(confusion.class_recall(counts, (0,)), [np.nan, 3 / 4, np.nan])
    # The row of an ignored class does not count; predictions of it are misses of the others.
    np.testing.assert_allclose(confusion.class_precision(counts, (0,)), [np.nan, 1.0, np.nan])
    assert confusion.mean_over_classes(np.array([0.5, np.nan])) == 0.5
    assert np.isnan(confusion.mean_over_classes(np.array([np.nan])))


def test_masks_are_counted_on_the_host_as_on_the_device():
    targets, predictions = np.random.default_rng(0).integers(3, size=(2, 1, 4, 5), dtype=np.int32)
    on_host = ConfusionMatrix.from_masks(targets[0], predictions[0], 3).compute()
    np.testing.assert_array_equal(on_host, _count(targets, predictions, [True]))


def test_nothing_to_score_is_not_a_number():
    empty = ConfusionMatrix.empty(2).compute()
    assert np.isnan(confusion.mean_iou(empty))
    assert np.isnan(confusion.accuracy(empty))


def test_counts_beyond_32_bits_stay_exact():
    large = ConfusionMatrix(np.full((1, 1), 2**40, np.int64))
    assert large.merge(ConfusionMatrix(np.ones((1, 1), np.int32))).compute() == 2**40 + 1


# Every shape of a batch is a program of its own.
@given(st.integers(0, 2**32 - 1), st.sampled_from((1, 2, 6)), st.sampled_from((1, 5)))
def test_any_batch_is_counted_as_one_by_one(seed, num_classes, batch):
    rng = np.random.default_rng(seed)
    targets, predictions = rng.integers(num_classes, size=(2, batch, 3, 4))
    valid = rng.random(batch) < 0.7
    expected = np.zeros((num_classes, num_classes), np.int64)
    for example in range(batch):
        for pair in zip(targets[example].ravel(), predictions[example].ravel(), strict=True):
            expected[pair] += valid[example]
    np.testing.assert_array_equal(_count(targets, predictions, valid, num_classes), expected)
