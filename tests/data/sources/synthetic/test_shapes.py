"""Drawn scenes: reproducible, balanced, visible, and not betrayed by their colours."""

import collections
import pickle

import numpy as np
import pytest

from symmflow_jax.data.sources.synthetic.shapes import CLASS_NAMES, SIDE, Shapes

NUM_SCENES = 600


@pytest.fixture(scope="module")
def scenes():
    shapes = Shapes(NUM_SCENES, "train", seed=0)
    return [shapes[index] for index in range(NUM_SCENES)]


@pytest.fixture(scope="module")
def drawn(scenes):
    """Class, colour and pixels `[n, 2]` of each shape, told apart by their flat colours."""
    found = []
    for scene in scenes:
        for shape in range(1, len(CLASS_NAMES) + 1):
            for colour in np.unique(scene["image"][scene["mask"] == shape], axis=0):
                own = (scene["image"] == colour).all(axis=-1) & (scene["mask"] == shape)
                found.append((shape - 1, colour.astype(float), np.argwhere(own)))
    return found


def test_elements_are_of_the_announced_form(scenes):
    schemas = Shapes(1, "test", seed=0).schemas
    assert schemas["mask"].names == ("background", *CLASS_NAMES)
    assert schemas["label"].names == CLASS_NAMES
    for scene in scenes[:50]:
        assert scene.keys() == {"image", "mask", "label"}
        assert scene["image"].shape == (SIDE, SIDE, 3) and scene["image"].dtype == np.uint8
        assert scene["mask"].shape == (SIDE, SIDE) and scene["mask"].dtype == np.int32
        assert scene["label"].shape == () and scene["label"].dtype == np.int32


def test_scenes_depend_on_seed_split_and_index_alone():
    shapes = Shapes(20, "train", seed=4)
    again = pickle.loads(pickle.dumps(Shapes(7_000, "train", seed=4)))
    for index in (19, 0, 7):
        for key, value in shapes[index].items():
            np.testing.assert_array_equal(value, again[index][key])
    assert not np.array_equal(shapes[0]["image"], Shapes(20, "train", seed=5)[0]["image"])
    assert not np.array_equal(shapes[0]["image"], shapes[1]["image"])


def test_splits_share_no_scene(scenes):
    test = Shapes(NUM_SCENES, "test", seed=0)
    train_masks = {scene["mask"].tobytes() for scene in scenes}
    assert len(train_masks) == NUM_SCENES
    assert not train_masks & {test[index]["mask"].tobytes() for index in range(NUM_SCENES)}


def test_index_and_split_are_checked():
    assert len(Shapes(5, "train", seed=0)) == 5
    for index in (-1, 5):
        with pytest.raises(IndexError, match="outside 0 to 4"):
            Shapes(5, "train", seed=0)[index]
    with pytest.raises(ValueError, match="no split 'validation'"):
        Shapes(5, "validation", seed=0)


def test_label_is_the_shape_with_the_most_visible_pixels(scenes):
    for scene in scenes[:200]:
        counts = collections.Counter(int(c) for c in scene["mask"].ravel() if c > 0)
        most = max(counts.values())
        assert int(scene["label"]) + 1 == min(c for c, n in counts.items() if n == most)


def test_classes_are_balanced(scenes):
    labels = np.bincount([int(scene["label"]) for scene in scenes], minlength=4) / NUM_SCENES
    pixels = np.bincount(np.stack([scene["mask"] for scene in scenes]).ravel())[1:]
    assert np.abs(labels - 0.25).max() < 0.06
    assert np.abs(pixels / pixels.sum() - 0.25).max() < 0.04


def test_scenes_have_three_or_four_shapes(scenes, drawn):
    assert 3.4 < len(drawn) / NUM_SCENES < 3.6
    colours = [np.unique(s["image"][s["mask"] > 0], axis=0).shape[0] for s in scenes]
    assert set(colours) == {3, 4}


def test_shapes_look_like_their_class(drawn):
    """Share of the bounding box that is filled, and share of that in its lower half."""
    fills, lower = collections.defaultdict(list), collections.defaultdict(list)
    for shape, _, pixels in drawn:
        extent = np.ptp(pixels, axis=0) + 1
        fills[CLASS_NAMES[shape]].append(len(pixels) / extent.prod())
        middle = pixels[:, 0].min() + (extent[0] - 1) / 2
        lower[CLASS_NAMES[shape]].append(np.mean(pixels[:, 0] > middle))
    fill = {name: np.median(values) for name, values in fills.items()}
    assert 0.72 < fill["circle"] < 0.87
    assert fill["square"] > 0.97
    assert 0.45 < fill["triangle"] < 0.65
    assert 0.5 < fill["cross"] < 0.68
    assert np.median(lower["triangle"]) > 0.65
    assert np.median(lower["cross"]) < 0.52


def test_colour_does_not_give_the_class_away(drawn):
    classes = np.array([shape for shape, _, _ in drawn])
    colours = np.stack([colour for _, colour, _ in drawn])
    half = len(drawn) // 2
    means = np.stack([colours[:half][classes[:half] == c].mean(axis=0) for c in range(4)])
    errors = colours.std(axis=0) / np.sqrt(half / 4)
    assert np.abs(means - colours[:half].mean(axis=0)).max() < 4 * errors.max()
    distances = np.linalg.norm(colours[half:, None] - means, axis=-1)
    accuracy = np.mean(np.argmin(distances, axis=1) == classes[half:])
    assert abs(accuracy - 0.25) < 4 * np.sqrt(0.25 * 0.75 / half)


def test_background_does_not_give_the_label_away(scenes):
    labels = np.array([int(scene["label"]) for scene in scenes])
    colours = np.stack([scene["image"][scene["mask"] == 0].mean(axis=0) for scene in scenes])
    means = np.stack([colours[labels == c].mean(axis=0) for c in range(4)])
    assert np.abs(means - colours.mean(axis=0)).max() < 4 * colours.std() / np.sqrt(600 / 4)


def test_shapes_stand_out_from_what_is_beside_them(scenes):
    for scene in scenes:
        image, mask = scene["image"].astype(float), scene["mask"]
        for first, second in ((np.s_[1:], np.s_[:-1]), (np.s_[:, 1:], np.s_[:, :-1])):
            border = mask[first] != mask[second]
            contrast = np.linalg.norm(image[first] - image[second], axis=-1)[border]
            assert contrast.min() > 60


def test_no_shape_is_tiny_or_buried(drawn):
    areas = np.array([len(pixels) for _, _, pixels in drawn])
    assert np.mean(areas >= 25) > 0.995
