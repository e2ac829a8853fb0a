"""What is wrong with arrays; the tests of `Npz` run the lines that mend them."""

import numpy as np
import pytest

from symmflow_jax.data.sources.classification.arrays.faults import images_fault, labels_fault

IMAGES = np.zeros((4, 6, 6), np.uint8)


def mend(fault, array):
    return eval(f"(lambda v: {fault.expression})(v)", {"np": np, "v": array})


@pytest.mark.parametrize(
    "images",
    [IMAGES, IMAGES[..., None], np.zeros((4, 6, 6, 3), np.uint8), np.zeros((4, 9)), IMAGES[:0]],
)
def test_good_images_have_no_fault(images):
    assert images_fault("a", images, [images]) is None


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.int32])
@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_good_labels_have_no_fault(dtype, shape):
    labels = np.arange(4).reshape(shape).astype(dtype)
    assert labels_fault("a", labels, [labels], IMAGES) is None


def test_all_splits_are_mended_alike():
    train, test = np.linspace(0, 255, 16).reshape(1, 4, 4), np.linspace(0, 1, 16).reshape(1, 4, 4)
    fault = images_fault("a", test, [train, test])
    np.testing.assert_array_equal(mend(fault, test), np.rint(test))
    labels = np.array([0, 1, 2, 3])
    fault = labels_fault("a", labels, [labels, np.array([-1, 1])], IMAGES)
    assert "from -1 to 3" in fault.problem


@pytest.mark.parametrize(
    "images",
    [
        np.linspace(-2.5, 3.5, 64).reshape(1, 8, 8),
        np.linspace(0, 16, 64).reshape(1, 8, 8),
        np.linspace(30, 4030, 64).reshape(1, 8, 8),
        np.linspace(-1000, 3000, 64).reshape(1, 8, 8).astype(np.int16),
    ],
)
def test_other_ranges_are_stretched_to_8_bits(images):
    levels = mend(images_fault("a", images, [images]), images)
    assert levels.dtype == np.uint8 and levels.min() == 0 and levels.max() == 255
    assert np.all(np.diff(levels.reshape(-1).astype(int)) > 0)


@pytest.mark.parametrize(("most", "scale"), [(1023, 1023), (4000, 4095), (65535, 65535)])
def test_the_bits_of_a_camera_are_kept_in_proportion(most, scale):
    images = np.array([[[0, most]]], np.uint16)
    levels = mend(images_fault("a", images, [images]), images)
    np.testing.assert_array_equal(levels.reshape(-1), [0, round(most * 255 / scale)])


def test_masks_are_told_from_other_arrays():
    masks = np.ones((4, 6, 6), np.int64)
    assert labels_fault("a", masks, [masks], IMAGES).is_mask
    assert not labels_fault("a", masks[:, :5], [masks[:, :5]], IMAGES).is_mask
    assert not labels_fault("a", -masks, [-masks], IMAGES).expression
    assert not labels_fault("a", masks * 0.5, [masks * 0.5], IMAGES).expression
    channels_first = np.zeros((4, 3, 6, 6), np.uint8)
    assert labels_fault("a", masks, [masks], channels_first).is_mask


def test_several_labels_are_told_from_one_hot_labels():
    several = np.array([[1, 0, 1], [0, 1, 0]])
    assert "multi-label" in labels_fault("a", several, [several], IMAGES[:2]).problem
    one_hot = several[1:]
    np.testing.assert_array_equal(
        mend(labels_fault("a", one_hot, [one_hot], IMAGES[:1]), one_hot), [1]
    )
    signed = np.array([[2, -1]])
    assert "multi-label" in labels_fault("a", signed, [signed], IMAGES[:1]).problem
