"""Image and mask keep to each other through crops, resizes and flips."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from PIL import Image
from PIL.Image import Resampling

from symmflow_jax.data import transforms
from symmflow_jax.data.geometry.fit import AtScale, Letterbox, Stretch


def _example(height: int, width: int, channels: int = 3) -> dict:
    """An image whose value is that of its mask, so that any shift between them shows."""
    mask = np.arange(height * width, dtype=np.int32).reshape(height, width) % 251
    image = np.repeat(mask[..., None], channels, axis=-1).astype(np.uint8)
    return {"image": image, "labels": mask}


@given(st.integers(3, 20), st.integers(3, 20), st.integers(0, 2**32 - 1))
def test_crop_and_flip_are_the_same_for_both(height, width, seed):
    rng = np.random.default_rng(seed)
    side = min(height, width)
    example = transforms.fit(_example(height, width), (side, side), 3, rng)
    example = transforms.random_flip(example, rng)
    assert example["image"].shape == (side, side, 3)
    np.testing.assert_array_equal(example["image"][..., 0], example["labels"])


def test_the_centre_is_kept_without_a_random_crop():
    example = transforms.fit(_example(4, 8), (4, 4), 3)
    np.testing.assert_array_equal(example["labels"], _example(4, 8)["labels"][:, 2:6])


def test_random_crops_reach_both_ends():
    rng = np.random.default_rng(0)
    firsts = {
        int(transforms.fit(_example(2, 4), (2, 2), 3, rng)["labels"][0, 0]) for _ in range(50)
    }
    assert firsts == {0, 1, 2}


def test_flips_come_about_half_of_the_time():
    rng = np.random.default_rng(0)
    example = _example(2, 2)
    flips = [transforms.random_flip(example, rng)["labels"][0, 0] for _ in range(400)]
    assert np.mean(flips) == pytest.approx(0.5, abs=0.1)


def test_a_picture_is_mirrored_along_either_axis():
    example = _example(3, 5)

    def flipped(axis):
        # Half of the seeds flip.
        found = [
            transforms.random_flip(example, np.random.default_rng(seed), ((0, 1),), axis)
            for seed in range(8)
        ]
        return next(other for other in found if other is not example)

    swapped = np.arange(15).reshape(3, 5)
    swapped[0, :2] = 1, 0  # A mirror exchanges the pair of classes, whichever way it turns.
    for axis, turned in ((transforms.COLUMNS, np.s_[:, ::-1]), (transforms.ROWS, np.s_[::-1])):
        other = flipped(axis)
        np.testing.assert_array_equal(other["image"], example["image"][turned])
        np.testing.assert_array_equal(other["labels"], swapped[turned])
        assert transforms.flip_labels(np.int32(7), axis=axis) == 7


def test_masks_keep_their_ids_and_images_are_smoothed():
    checker = (np.indices((16, 16)).sum(0) % 2).astype(np.int32)
    example = {"image": np.uint8(255 * checker)[..., None], "labels": 7 * checker}
    small = transforms.fit(example, (4, 4), 1)
    assert set(np.unique(small["labels"])) <= {0, 7}
    # Antialiasing averages the checker to grey.
    assert np.abs(small["image"].astype(int) - 127).max() < 20


def test_a_mask_is_enlarged_by_nearest_pixels():
    mask = np.array([[300, 1], [2, 3]], np.int32)
    large = transforms.resize_mask(mask, (4, 4))
    np.testing.assert_array_equal(large, np.repeat(np.repeat(mask, 2, 0), 2, 1))


@given(st.integers(1, 700), st.integers(1, 700))
def test_nearest_pixels_are_those_of_pillow(length, new_length):
    mask = np.arange(length, dtype=np.int32)[None]
    picture = Image.fromarray(mask).resize((new_length, 2), Image.Resampling.NEAREST)
    np.testing.assert_array_equal(transforms.resize_mask(mask, (2, new_length)), picture)
    np.testing.assert_array_equal(
        transforms.resize_mask(mask.T, (new_length, 2)), np.asarray(picture).T
    )


@pytest.mark.parametrize(("given_channels", "wanted"), [(1, 3), (3, 1)])
def test_channels_are_converted(given_channels, wanted):
    image = np.full((2, 2, given_channels), 90, np.uint8)
    converted = transforms.resize_image(image, (2, 2), wanted)
    np.testing.assert_array_equal(converted, np.full((2, 2, wanted), 90))


def test_labels_pass_through():
    example = {"image": np.zeros((6, 4, 1), np.uint8), "labels": np.int32(5)}
    assert transforms.fit(example, (2, 2), 1)["labels"] == 5


@pytest.mark.parametrize("shape", [(400, 2), (2, 400), (1, 1)])
@pytest.mark.parametrize("rng", [None, np.random.default_rng(0)])
def test_a_strip_of_which_a_crop_would_leave_nothing_keeps_a_pixel(shape, rng):
    image = np.full((*shape, 3), 7, np.uint8)
    mask = np.full(shape, 5)
    for size in ((16, 128), (128, 16)):
        fitted = transforms.fit({"image": image, "labels": mask}, size, 3, rng)
        assert fitted["image"].shape == (*size, 3) and (fitted["image"] == 7).all()
        assert fitted["labels"].shape == size and (fitted["labels"] == 5).all()


@pytest.mark.parametrize("resampling", [Resampling.BICUBIC, Resampling.BILINEAR])
def test_images_are_resized_by_the_filter_that_is_asked_for(resampling):
    image = np.random.default_rng(0).integers(0, 256, (12, 10, 3), np.uint8)
    expected = np.asarray(Image.fromarray(image).resize((5, 6), resampling))
    resized = transforms.resize_image(image, (6, 5), 3, resampling)
    np.testing.assert_array_equal(resized, expected)
    example = {"image": image, "labels": np.int32(1)}
    fitted = transforms.fit(example, (6, 5), 3, None, resampling)
    np.testing.assert_array_equal(fitted["image"], expected)


def test_a_letterbox_is_grey_and_its_labels_are_unknown():
    image, mask = np.full((4, 8, 3), 7, np.uint8), np.full((4, 8), 2)
    fitted = transforms.fit({"image": image, "labels": mask}, (8, 8), 3, how=Letterbox())
    assert (fitted["image"][2:6] == 7).all() and (fitted["labels"][2:6] == 2).all()
    for rows in (slice(0, 2), slice(6, 8)):
        assert (fitted["image"][rows] == transforms.PADDING).all()
        assert (fitted["labels"][rows] == -1).all()


@pytest.mark.parametrize(("how", "size"), [(Stretch(), (160, 384)), (AtScale(0.5, 0.5), (16, 16))])
def test_image_and_mask_are_fitted_alike(how, size):
    """Each pixel of the picture tells its class."""
    mask = np.random.default_rng(0).integers(250, size=(40, 24)).repeat(8, 0).repeat(8, 1)
    image = np.repeat(mask[..., None], 3, axis=-1).astype(np.uint8)
    example = {"image": image, "labels": mask}
    fitted = transforms.fit(example, size, 3, np.random.default_rng(1), how=how)
    assert fitted["labels"].shape == size
    same = np.abs(fitted["image"][..., 0].astype(int) - fitted["labels"]) < 40
    assert same.mean() > 0.5


def test_a_signal_is_placed_like_an_image():
    picture = np.random.default_rng(0).integers(256, size=(12, 20, 3), dtype=np.uint8)
    placement = Letterbox().place((12, 20), (8, 8))
    as_image = transforms.place_image(picture, placement, 3)
    signal = transforms.place_signal(picture / 127.5 - 1.0, placement)
    assert signal.dtype == np.float32 and np.abs(signal).max() <= 1.0
    np.testing.assert_allclose((signal + 1.0) * 127.5, as_image, atol=1.0)


def test_classes_of_a_pair_are_exchanged():
    classes = transforms.exchanged(np.arange(5), ((1, 3),))
    np.testing.assert_array_equal(classes, [0, 3, 2, 1, 4])
