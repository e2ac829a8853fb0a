"""Openers of the user's own data."""

import json
import logging
import pathlib
import shutil

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.config.build.data import opening
from symmflow_jax.data.fingerprint import fingerprint
from symmflow_jax.data.source import DataError

FORMS = pathlib.Path(__file__).parents[3] / "fixtures" / "own_data"


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


def _masks(source) -> dict[str, np.ndarray]:
    return {name: source[index]["mask"] for index, name in enumerate(source.names)}


@pytest.fixture
def opened(tiny_experiment):
    """A function that opens a split of a form of `tests/fixtures/own_data`."""

    def open_form(name, folder, *, train=True, **values):
        keys = {f"data.{key}": value for key, value in values.items()}
        given = {"data.source": name, "data.dir": str(FORMS / folder)} | keys
        return opening.open_source(tiny_experiment(**given).config, train=train)

    return open_form


def _stored(folder) -> dict[str, np.ndarray]:
    with np.load(FORMS / folder / "masks.npz") as masks:
        return dict(masks)


COCO = {"train_images": "images", "eval_images": "images", "train_annotations": "instances.json"}
YOLO = {"train_images": "images/train", "eval_images": "images/train"}
LABELME = {"train_images": ".", "class_names": ("car", "person", "tree")}


def test_coco_gives_classes_by_category(opened):
    source = opened("coco_json", "coco", **COCO)
    (schema,) = source.schemas.values()
    assert (schema.names, schema.raw_ids) == (
        ("background", "car", "person", "tree"),
        (0, 1, 3, 7),
    )
    masks = _masks(source)
    assert list(masks) == ["a.png", "c.png", "sub/b.png"]
    assert not masks["c.png"].any() and set(np.unique(masks["a.png"])) == {0, 1, 2, 3}
    assert source.files[-1].name == "instances.json" and len(source.files) == 4


def test_labels_that_are_left_out_are_told(opened, caplog):
    keys = {"class_names": ("thing",), "class_labels": (("car", "person"),)}
    with caplog.at_level(logging.INFO):
        source = opened("coco_json", "coco", **COCO, **keys)
    assert "read as background, because config.data.class_names leaves them out: 1 label, tree" in (
        caplog.text
    )
    whole = _masks(opened("coco_json", "coco", **COCO))
    merged = _masks(source)
    # A tree hides nothing here, since it is not drawn.
    visible = whole["a.png"] != 3
    expected = np.isin(whole["a.png"], (1, 2))
    np.testing.assert_array_equal(merged["a.png"][visible], expected[visible])
    assert not merged["sub/b.png"][whole["sub/b.png"] == 0].any()


def test_images_that_the_json_names_must_be_there(opened):
    with pytest.raises(DataError, match=r"3 images of .*instances.json are not in .*yolo.*: a.png"):
        opened(
            "coco_json",
            "yolo",
            train_images="labels/../images",
            train_annotations="../coco/instances.json",
        )
    with pytest.raises(DataError, match=r"images has 0 JSON files; set --config.data.train_anno"):
        opened("coco_json", "coco", train_images="images")


def test_yolo_gives_the_masks_of_ultralytics(opened, caplog):
    with caplog.at_level(logging.INFO):
        source = opened("yolo_polygons", "yolo", **YOLO)
    (schema,) = source.schemas.values()
    assert schema.names == ("background", "car", "person", "tree")
    assert schema.raw_ids == (3, 0, 1, 2)
    for name, mask in _stored("yolo").items():
        np.testing.assert_array_equal(schema.to_raw(_masks(source)[name]), mask)
    assert "1 image without a text file is all background" in caplog.text


def test_labelme_gives_its_own_masks(opened, caplog):
    source = opened("labelme", "labelme", **LABELME)
    (schema,) = source.schemas.values()
    assert schema.names == ("background", "car", "person", "tree")
    for name, mask in _stored("labelme").items():
        np.testing.assert_array_equal(_masks(source)[name], mask)
    with pytest.raises(DataError, match=r"labels in .* are car, person, tree. Name those to learn"):
        opened("labelme", "labelme", train_images=".")
    with caplog.at_level(logging.INFO):
        opened("labelme", "labelme", train_images=".", class_names=("car", "tree"))
    assert "leaves them out: 1 label, person" in caplog.text


def test_an_ignored_label_of_labelme_needs_an_id(opened, tmp_path):
    values = json.loads((FORMS / "labelme" / "a.json").read_text())
    values["shapes"][1]["label"] = "__ignore__"
    (tmp_path / "a.json").write_text(json.dumps(values))
    shutil.copy(FORMS / "labelme" / "a.png", tmp_path)
    keys = {"train_images": ".", "class_names": ("car",)}
    with pytest.raises(DataError, match="shapes of the label __ignore__.*ignored_id=255"):
        opened("labelme", tmp_path, **keys)
    source = opened("labelme", tmp_path, **keys, ignored_id=255)
    (schema,) = source.schemas.values()
    assert schema.names == ("background", "car", "void") and schema.ignored == (2,)
    assert (source[0]["mask"] == 2).any()


def test_an_export_of_cvat_is_read_by_its_colours(opened):
    source = opened("cvat_masks", "cvat", train_split="default")
    (schema,) = source.schemas.values()
    assert schema.names == ("background", "road", "car")
    for name, mask in _stored("cvat").items():
        np.testing.assert_array_equal(_masks(source)[name], mask)
    merged = opened(
        "cvat_masks",
        "cvat",
        train_split="default",
        class_names=("rest", "car"),
        class_labels=(("background", "road"), "car"),
    )
    for name, mask in _stored("cvat").items():
        np.testing.assert_array_equal(_masks(merged)[name], mask == 2)
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


@pytest.mark.parametrize(
    ("form", "folder", "keys", "count"),
    [
        ("coco_json", "coco", COCO, 3),
        ("yolo_polygons", "yolo", YOLO, 3),
        ("labelme", "labelme", LABELME, 2),
        ("cvat_masks", "cvat", {"train_split": "default"}, 2),
        ("hf_dataset", "hf/set", {}, 4),
    ],
)
def test_each_form_can_be_shared_out(opened, form, folder, keys, count):
    whole = opened(form, folder, **keys)
    assert len(whole) == count
    parts = [opened(form, folder, train=train, **keys, val_share=0.3) for train in (True, False)]
    assert [len(part) for part in parts] == [count - 1, 1]
    names = [name for part in parts for name in part.names]
    assert sorted(names) == sorted(whole.names)
    assert len({fingerprint(source).digest for source in (whole, *parts)}) == 3
    for part in parts:
        for index, name in enumerate(part.names):
            element = whole[whole.names.index(name)]
            np.testing.assert_array_equal(part[index]["mask"], element["mask"])
    folds = [opened(form, folder, train=False, **keys, folds=2, fold=n) for n in (0, 1)]
    assert sorted(n for fold in folds for n in fold.names) == sorted(whole.names)
    assert fingerprint(folds[0]).digest != fingerprint(folds[1]).digest


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
        for name, mask in _masks(part).items():
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
