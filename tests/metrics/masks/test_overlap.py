import functools
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.metrics.masks.overlap import MaskOverlap

_FIXTURES = pathlib.Path(__file__).parents[2] / "fixtures"
_count = functools.partial(jax.jit, static_argnums=(3, 4))(MaskOverlap.from_labels)


def _on_device(targets, predictions, num_classes, ignored=(), valid=None) -> MaskOverlap:
    arrays = (jnp.asarray(np.asarray(masks, np.int32)) for masks in (targets, predictions))
    valid = np.ones(len(targets), bool) if valid is None else np.asarray(valid)
    return _count(*arrays, jnp.asarray(valid), num_classes, ignored).compute()


def _on_host(targets, predictions, num_classes, ignored=()) -> MaskOverlap:
    total = MaskOverlap.empty(num_classes)
    for pair in zip(np.asarray(targets, np.int32), np.asarray(predictions, np.int32), strict=True):
        total = total.merge(MaskOverlap.from_masks(*pair, num_classes, ignored))
    return total


@pytest.mark.parametrize("count", [_on_device, _on_host])
def test_boundary_iou_is_that_of_eroded_classes(count):
    with np.load(_FIXTURES / "boundary_scores.npz") as file:
        values = dict(file)
    found = count(values["targets"], values["predictions"], 4, (3,))
    np.testing.assert_allclose(found.class_boundary_iou((3,)), values["iou"])


@pytest.mark.parametrize("count", [_on_device, _on_host])
@pytest.mark.parametrize("case", ["all", "ignored", "absent", "only_predicted"])
def test_means_over_images_are_those_of_torchmetrics(case, count):
    with np.load(_FIXTURES / "segmentation_scores.npz") as file:
        values = {key.split("/")[1]: file[key] for key in file.files if key.startswith(f"{case}/")}
    ignored = tuple(values["ignored"].tolist())
    means = count(values["targets"], values["predictions"], 6, ignored).mean_by_image()
    assert means["miou_by_image"] == pytest.approx(values["miou_by_image"], rel=1e-5)
    assert means["dice_by_image"] == pytest.approx(values["dice_by_image"], rel=1e-5)


def test_an_image_counts_as_much_as_any_other():
    # One image is right; the other has two halves, and the second class is never predicted:
    # IoU 1/2 and 0, Dice 2/3 and 0.
    targets = np.zeros((2, 4, 4), int)
    targets[1, :, 2:] = 1
    means = _on_device(targets, np.zeros((2, 4, 4), int), 2).mean_by_image()
    assert means == pytest.approx({"miou_by_image": 0.625, "dice_by_image": 2 / 3})


def test_padding_and_unknown_pixels_do_not_count():
    rng = np.random.default_rng(0)
    targets, predictions = rng.integers(0, 3, (2, 3, 9, 8))
    found = _on_device(targets, predictions, 3, valid=[True, False, True])
    part = _on_device(targets[::2], predictions[::2], 3)
    jax.tree.map(np.testing.assert_allclose, found, part)
    # What is predicted where nothing is known makes no difference.
    unknown = np.where(rng.random(targets.shape) < 0.3, -1, targets)
    others = np.where(unknown < 0, 2 - predictions, predictions)
    same = _on_device(unknown, predictions, 3), _on_device(unknown, others, 3)
    jax.tree.map(np.testing.assert_array_equal, *same)
    nothing = _on_device(np.full((1, 4, 4), -1), np.zeros((1, 4, 4)), 3)
    assert np.isnan(nothing.mean_by_image()["miou_by_image"])
    assert np.isnan(nothing.class_boundary_iou()).all()


def test_masks_of_bytes_count_as_those_of_larger_numbers():
    masks = np.asarray([[0, 1, 1], [2, 2, 1], [0, 0, 2]], np.uint8)
    found = MaskOverlap.from_masks(masks, masks[::-1], 3, (2,))
    expected = MaskOverlap.from_masks(masks.astype(np.int32), masks[::-1].astype(np.int32), 3, (2,))
    np.testing.assert_array_equal(found.boundary, expected.boundary)
    np.testing.assert_array_equal(found.by_image, expected.by_image)
