"""Masks in files: pairs, exports of CVAT, and saved data sets."""

import shutil

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.data.source import DataError
from tests.config.build.data.own.forms import FORMS, masks_of, stored_masks


def test_a_folder_needs_names_ids_and_colours_of_one_count(folder_experiment):
    names = {"data.class_names": ("sky", "road")}
    source = folder_experiment(**names, **{"data.class_ids": (7, 11)}).training_source
    np.testing.assert_array_equal(source[0]["mask"], np.ones((8, 8)))
    with pytest.raises(DataError, match="class_names is empty; name the classes"):
        folder_experiment().training_source  # noqa: B018
    with pytest.raises(DataError, match="class_ids has 1 ids for 2 class_names"):
        folder_experiment(**names, **{"data.class_ids": (7,)}).training_source  # noqa: B018
    colours = {"data.class_colours": ("#000000", "#ff0000", "#00ff00")}
    with pytest.raises(DataError, match=r"class_colours has 3 colours for 2 classes \(sky, road\)"):
        folder_experiment(**names, **colours).training_source  # noqa: B018


def test_an_export_of_cvat_is_read_by_its_colours(opened):
    source = opened("cvat_masks", "cvat", train_split="default")
    (schema,) = source.schemas.values()
    assert schema.names == ("background", "road", "car")
    for name, mask in stored_masks("cvat").items():
        np.testing.assert_array_equal(masks_of(source)[name], mask)
    merged = opened(
        "cvat_masks",
        "cvat",
        train_split="default",
        class_names=("rest", "car"),
        class_labels=(("background", "road"), "car"),
    )
    for name, mask in stored_masks("cvat").items():
        np.testing.assert_array_equal(masks_of(merged)[name], mask == 2)
    with pytest.raises(DataError, match="class_names lacks the labels background of .*labelmap"):
        opened("cvat_masks", "cvat", train_split="default", class_names=("road", "car"))


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_saved_data_set_is_read_as_its_library_reads_it(opened, split):
    import datasets

    keys = {"train_split": split, "eval_split": "validation"}
    source = opened("hf_dataset", "hf/set", **keys)
    (schema,) = source.schemas.values()
    assert (schema.names, schema.raw_ids) == (("sky", "road", "tree"), (1, 2, 3))
    rows = datasets.load_from_disk(str(FORMS / "hf" / "set"))[split]
    assert len(source) == len(rows)
    for index, row in enumerate(rows):
        np.testing.assert_array_equal(source[index]["image"], row["image"])
        np.testing.assert_array_equal(source[index]["mask"], np.asarray(row["annotation"]) - 1)


def test_masks_beside_their_images_and_ids_in_groups(opened, tmp_path):
    for number in range(4):
        (tmp_path / f"{number % 2}").mkdir(exist_ok=True)
        ids = np.full((4, 6), number, np.uint8)
        Image.fromarray(ids).save(tmp_path / f"{number % 2}" / f"x{number}_mask.png")
        Image.fromarray(ids).convert("RGB").save(tmp_path / f"{number % 2}" / f"x{number}.jpg")
    keys = {
        "train_images": ".",
        "train_masks": ".",
        "mask_pattern": "{stem}_mask.png",
        "class_names": ("even", "odd"),
        "class_ids": ((0, 2), (1, 3)),
        "val_share": 0.25,
    }
    parts = [opened("paired_folder", tmp_path, train=train, **keys) for train in (True, False)]
    assert [len(part) for part in parts] == [3, 1]
    for part in parts:
        for name, mask in masks_of(part).items():
            assert (mask == int(name[0])).all() and name.endswith(".jpg")


def test_images_of_many_channels_are_signals(opened, tmp_path):
    for kind in ("images", "masks"):
        (tmp_path / "train" / kind).mkdir(parents=True)
    shutil.copy(FORMS / "deep" / "planar.tif", tmp_path / "train" / "images" / "a.tif")
    Image.fromarray(np.ones((29, 37), np.uint8)).save(tmp_path / "train" / "masks" / "a.png")
    names = {"class_names": ("sky", "road"), "image_channels": 5}
    element = opened("paired_folder", tmp_path, **names)[0]
    with np.load(FORMS / "deep" / "numbers.npz") as numbers:
        expected = numbers["bands"] / 32767.5 - 1
    assert element["image"].dtype == np.float32
    np.testing.assert_allclose(element["image"], expected, atol=1e-6)
    ranged = opened("paired_folder", tmp_path, **names, value_range=(0.0, 10000.0))[0]
    with np.load(FORMS / "deep" / "numbers.npz") as numbers:
        expected = np.clip(numbers["bands"] / 5000 - 1, -1, 1)
    np.testing.assert_allclose(ranged["image"], expected, atol=1e-6)
