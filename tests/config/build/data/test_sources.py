"""Data sources by name, and their classes."""

import logging
import pickle

import numpy as np
import pytest
from PIL import Image

from symmflow_jax.config.build.data import sources
from symmflow_jax.config.build.data.sources import SOURCE_KEYS, SOURCES
from symmflow_jax.data.decoding.decoding import Decoding
from symmflow_jax.data.source import DataError
from symmflow_jax.semantics.kinds import SemanticsKind

# All others have their names from files, or from the config alone.
_HAVE_CLASSES = [name for name in SOURCES if name not in ("npz", "paired_folder", "packed")]
_DRAWN = [name for name in SOURCES if SOURCES[name].opener is sources.from_seed]
_ENCODINGS = {SemanticsKind.MASK: "palette", SemanticsKind.LABEL: "plane"}


def _size_of_drawn(name) -> dict:
    """Keys of the config for a source of points, as many as it has numbers."""
    if name not in _DRAWN:
        return {}
    shape = np.asarray(SOURCES[name].resolve()(1, "train", 0)[0]["image"]).shape
    points = {"data.image_size": (), "data.point_size": shape[0], "network.name": "mlp"}
    return points if len(shape) == 1 else {}


@pytest.fixture
def experiment_of(tiny_experiment):
    """A function from a source's name to an experiment whose data is not there, but if drawn."""

    def make(name, **overrides):
        values = {
            "data.source": name,
            "data.dir": "nowhere",
            "data.name": "mnist" if name == "tfds" else "",
            "semantics.encoding": _ENCODINGS[SOURCES[name].kinds[0]],
        }
        return tiny_experiment(**values | _size_of_drawn(name) | overrides)

    return make


def _schema(experiment):
    """The classes, whether or not there are files."""
    return experiment.without_files().schema


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_is_a_class_of_examples(name):
    constructor = SOURCES[name].resolve()
    assert isinstance(constructor, type)
    for method in ("__len__", "__getitem__", "schemas"):
        assert hasattr(constructor, method)


@pytest.mark.parametrize("name", SOURCES)
def test_sources_use_keys_of_the_config(tiny_experiment, name):
    used = SOURCES[name].used_keys
    assert set(used) < SOURCE_KEYS and len(set(used)) == len(used)
    assert all(hasattr(tiny_experiment().data, key) for key in used)


@pytest.mark.parametrize("name", _DRAWN)
def test_drawn_sources_have_the_kinds_that_the_table_says(experiment_of, name):
    experiment = experiment_of(name, **{"data.train_size": 5, "data.eval_size": 3})
    opened = [sources.open_source(experiment.config, train=train) for train in (True, False)]
    assert [len(source) for source in opened] == [5, 3]
    for source in opened:
        assert source.schemas.keys() == set(SOURCES[name].kinds)
        assert source[0].keys() >= {"image", *SOURCES[name].kinds}
    assert not np.array_equal(np.asarray(opened[0][0]["image"]), np.asarray(opened[1][0]["image"]))


@pytest.mark.parametrize(
    ("name", "num_classes"),
    [
        ("idx", 10),
        ("tfds", 10),
        ("cifar10", 10),
        ("coco_stuff", 172),
        ("celebamask_hq", 19),
        ("cityscapes", 20),
        ("ade20k", 151),
    ],
)
def test_classes_are_known_without_the_data(experiment_of, name, num_classes):
    assert experiment_of(name).without_files().schema.num_classes == num_classes


def test_classes_that_are_not_known_without_the_data_can_be_named(experiment_of):
    with pytest.raises(DataError, match=r"nowhere.* Without the data, .*data\.class_names"):
        experiment_of("npz").without_files().schema  # noqa: B018
    named = experiment_of("npz", **{"data.class_names": ("benign", "malignant")})
    assert named.without_files().schema.names == ("benign", "malignant")
    folder = experiment_of(
        "paired_folder",
        **{
            "data.class_names": ("sky", "road"),
            "data.class_ids": (7, 11),
            "data.ignored_id": 255,
        },
    )
    assert folder.without_files().schema.raw_ids == (7, 11, 255)


@pytest.mark.parametrize("name", _HAVE_CLASSES)
def test_names_of_the_config_replace_those_of_any_source(experiment_of, name):
    own = _schema(experiment_of(name))
    names = tuple(f"renamed {number}" for number in range(own.num_classes))
    schema = _schema(experiment_of(name, **{"data.class_names": names}))
    assert schema.names == names
    assert schema.raw_ids == own.raw_ids and schema.palette == own.palette
    assert schema.ignored == own.ignored and schema.mirrored == own.mirrored


@pytest.mark.parametrize("name", _HAVE_CLASSES)
@pytest.mark.parametrize("more", [2, -2])
def test_too_many_and_too_few_names_are_refused(experiment_of, name, more):
    count = _schema(experiment_of(name)).num_classes
    # Of two classes, two fewer would be none, which keeps the names.
    names = tuple(f"class {number}" for number in range(max(1, count + more)))
    message = rf"class_names has {len(names)} names \(.*for the {count} classes of '{name}'"
    with pytest.raises(DataError, match=message):
        _schema(experiment_of(name, **{"data.class_names": names}))


def test_classes_that_do_not_count_need_no_name(experiment_of):
    own = experiment_of("cityscapes").without_files().schema
    assert own.ignored == (19,)
    names = tuple(f"renamed {number}" for number in range(19))
    schema = experiment_of("cityscapes", **{"data.class_names": names}).without_files().schema
    assert schema.names == (*names, own.names[19])


def test_data_with_labels_of_another_kind_is_no_reason_to_guess(tiny_experiment):
    values = {"data.source": "idx", "data.dir": "nowhere", "semantics.encoding": "palette"}
    with pytest.raises(ValueError, match="'palette' learns a mask, but 'idx' has only label"):
        tiny_experiment(**values)


def test_the_kind_can_be_chosen_where_there_are_two(tiny_experiment):
    values = {"data.source": "shapes", "semantics.encoding": "onehot"}
    assert tiny_experiment(**values).kind is SemanticsKind.MASK
    assert tiny_experiment(**values, **{"semantics.kind": "label"}).kind is SemanticsKind.LABEL
    with pytest.raises(ValueError, match="'palette' learns a mask, but 'shapes' has only label"):
        tiny_experiment(**{"data.source": "shapes", "semantics.kind": "label"})
    with pytest.raises(ValueError, match="kind is 'mask', but 'idx' has only label; set it to ''"):
        tiny_experiment(**values | {"data.source": "idx", "semantics.kind": "mask"})
    with pytest.raises(ValueError, match="semantics.kind is 'depth'; choose one of .*mask, label"):
        tiny_experiment(**{"semantics.kind": "depth"})


def test_unknown_sources_are_refused_with_the_list(tiny_experiment):
    with pytest.raises(ValueError, match=r"config\.data\.source is 'mnist'; .*shapes, .*packed\.$"):
        tiny_experiment(**{"data.source": "mnist"})


@pytest.fixture
def folder_experiment(tiny_experiment, tmp_path):
    """An experiment on one pair of an image and a mask of the ids 7 and 11."""
    for name, array in (
        ("images", np.zeros((8, 8, 3), np.uint8)),
        ("masks", np.full((8, 8), 11, np.uint8)),
    ):
        (tmp_path / "train" / name).mkdir(parents=True)
        Image.fromarray(array).save(tmp_path / "train" / name / "a.png")
    values = {"data.source": "paired_folder", "data.dir": str(tmp_path)}
    return lambda **overrides: tiny_experiment(**values | overrides)


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


def test_points_and_pictures_are_told_apart(experiment_of):
    points = {"data.image_size": (), "data.point_size": 3, "network.name": "mlp"}
    with pytest.raises(DataError, match=r"means points, but 'shapes' has images of shape"):
        experiment_of("shapes", **points).training_source  # noqa: B018
    with pytest.raises(DataError, match="points of 'spirals' have 2 numbers; set it to 2"):
        experiment_of("spirals", **points).training_source  # noqa: B018


@pytest.mark.parametrize("name", SOURCES)
def test_scores_call_a_data_set_by_the_name_of_its_files_where_there_are_several(
    experiment_of, name
):
    found = experiment_of(name, **{"data.name": "blood"}).dataset
    assert found == (f"{name}/blood" if name in ("tfds", "npz") else name)


def test_archives_are_files_in_the_folder_or_the_folder_itself(experiment_of, tmp_path):
    images, labels = np.zeros((2, 8, 8, 3), np.uint8), np.array([[0], [1]])
    arrays = {f"{split}_{what}": array for split in ("train", "val", "test")
              for what, array in (("images", images), ("labels", labels))}  # fmt: skip
    np.savez(tmp_path / "blood.npz", **arrays)
    for place in (
        {"data.dir": str(tmp_path), "data.name": "blood"},
        {"data.dir": str(tmp_path / "blood.npz")},
        {"data.dir": str(tmp_path / "blood.npz"), "data.name": "blood"},
    ):
        assert len(experiment_of("npz", **place).training_source) == 2
    other = {"data.dir": str(tmp_path / "blood.npz"), "data.name": "path"}
    with pytest.raises(
        DataError, match=r"is the archive .*blood\.npz, but .*name is path, .*=blood"
    ):
        experiment_of("npz", **other).training_source  # noqa: B018


def test_what_a_cache_must_have_been_made_of(tiny_experiment):
    metadata = sources.cache_metadata(tiny_experiment(**{"data.random_flip": True}).config)
    assert metadata == {
        "source": "shapes",
        "split": "train",
        "target": "mask",
        "image_size": (8, 8),
        "resampling": "bicubic",
        "fit": "crop",
        "exif": "apply",
        "has_mirrored": True,
        "seed": 0,
    }
    assert sources.open_cache(tiny_experiment().config) is None


def test_class_names_of_the_config_differ(experiment_of):
    names = {"data.class_names": ("road", "tree", "road")}
    with pytest.raises(ValueError, match="Two classes have the name 'road', .*'road .2.'"):
        _schema(experiment_of("paired_folder", **names))
    beside = {"data.class_names": ("road", "void"), "data.ignored_id": 255}
    schema = _schema(experiment_of("paired_folder", **beside))
    assert (schema.names, schema.ignored) == (("road", "void", "void (255)"), (2,))


@pytest.fixture
def idx_set(tmp_path):
    """A function that writes an IDX set with the labels of its splits."""

    def write(train, test):
        for prefix, labels in (("train", train), ("t10k", test)):
            images = bytes([0, 0, 8, 3, 0, 0, 0, len(labels), 0, 0, 0, 2, 0, 0, 0, 2])
            (tmp_path / f"{prefix}-images-idx3-ubyte").write_bytes(images + bytes(4 * len(labels)))
            header = bytes([0, 0, 8, 1, 0, 0, 0, len(labels)])
            (tmp_path / f"{prefix}-labels-idx1-ubyte").write_bytes(header + bytes(labels))
        return {"data.source": "idx", "data.dir": str(tmp_path), "semantics.encoding": "plane"}

    return write


@pytest.fixture
def npz_set(tmp_path):
    """As `idx_set`, for an archive."""

    def write(train, test):
        arrays = {}
        for split, labels in (("train", train), ("test", test)):
            arrays[f"{split}_images"] = np.zeros((len(labels), 2, 2), np.uint8)
            arrays[f"{split}_labels"] = np.asarray(labels)
        np.savez(tmp_path / "set.npz", **arrays)
        return {"data.source": "npz", "data.dir": str(tmp_path), "semantics.encoding": "plane"}

    return write


@pytest.mark.parametrize("write_set", ["idx_set", "npz_set"])
def test_a_test_set_may_lack_classes(tiny_experiment, request, write_set):
    values = request.getfixturevalue(write_set)([0, 1, 2], [0, 1, 1, 0])
    for names in ((), ("cat", "dog", "eel")):
        experiment = tiny_experiment(**values, **{"data.class_names": names})
        assert len(experiment.evaluation_source) == 4
        assert experiment.schema.names == (names or ("0", "1", "2"))


@pytest.mark.parametrize("write_set", ["idx_set", "npz_set"])
def test_labels_that_training_lacks_are_named_and_can_be_named_before(
    tiny_experiment, request, write_set, caplog
):
    values = request.getfixturevalue(write_set)([0, 1, 2], [0, 3, 5])
    with pytest.raises(DataError) as error:
        tiny_experiment(**values).evaluation_source  # noqa: B018
    assert (
        "the split 'test' has the labels 3, 5, but the training data has the 3 classes 0 to 2. "
        "Train with examples of all classes, remove the others from this split, or name all "
        "classes in config.data.class_names before training." in str(error.value)
    )
    named = tiny_experiment(**values, **{"data.class_names": tuple("abcdef")})
    with caplog.at_level(logging.INFO):
        assert len(named.evaluation_source) == 3
    assert named.schema.names == tuple("abcdef")
    assert "the training split has no example of the classes d, e, f; its labels are 0, 1, 2." in (
        caplog.text
    )


@pytest.mark.parametrize("write_set", ["idx_set", "npz_set"])
def test_a_trained_model_is_evaluated_without_the_training_files(
    tiny_experiment, request, write_set, tmp_path
):
    values = request.getfixturevalue(write_set)([0, 1, 2], [0, 1])
    trained = tiny_experiment(**values)
    model = trained.with_schema(trained.schema)
    other = request.getfixturevalue(write_set)([0], [1, 0, 0])
    for path in tmp_path.glob("train-*"):
        path.unlink()
    assert len(model.measured_as(tiny_experiment(**other)).evaluation_source) == 3
    other = request.getfixturevalue(write_set)([0], [1, 3])
    with pytest.raises(DataError, match="the split 'test' has the label 3, but the training data"):
        model.measured_as(tiny_experiment(**other)).evaluation_source  # noqa: B018


def test_labels_of_other_names_are_other_classes(tiny_experiment, idx_set):
    values = idx_set([0, 1, 2], [0, 1])
    named = tiny_experiment(**values, **{"data.class_names": ("cat", "dog", "eel")})
    model = named.with_schema(named.schema)
    for names in ((), ("dog", "cat", "eel"), ("cat", "dog", "eel", "fox")):
        other = tiny_experiment(**values, **{"data.class_names": names})
        with pytest.raises(DataError, match=r"knows the classes cat, dog, eel, but the data has"):
            model.measured_as(other).evaluation_source  # noqa: B018


def test_labels_that_do_not_begin_with_0_are_told(tiny_experiment, npz_set, caplog):
    with caplog.at_level(logging.INFO):
        tiny_experiment(**npz_set([1, 2], [1])).training_source  # noqa: B018
    assert "no example of the class 0; its labels are 1, 2." in caplog.text


def test_a_folder_may_lack_classes_in_evaluation(folder_experiment, tmp_path):
    (tmp_path / "val").symlink_to(tmp_path / "train")
    values = {"data.class_names": ("sky", "road", "tree"), "data.class_ids": (7, 11, 30)}
    assert len(folder_experiment(**values).evaluation_source) == 1


def test_rows_of_floats_are_no_images(tiny_experiment, tmp_path):
    np.savez(tmp_path / "set.npz", train_images=np.zeros((2, 64)), train_labels=np.arange(2))
    values = {"data.source": "npz", "data.dir": str(tmp_path), "semantics.encoding": "plane"}
    with pytest.raises(DataError, match=r"has rows of 64 floats, which are points, but"):
        tiny_experiment(**values).training_source  # noqa: B018


def test_what_is_not_used_is_logged_once_and_not_by_the_readers(
    folder_experiment, tmp_path, caplog
):
    (tmp_path / "train/images/a.gif").touch()
    with caplog.at_level(logging.INFO):
        experiment = folder_experiment(
            **{"data.class_names": ("sky", "road"), "data.class_ids": (7, 11)}
        )
        for _ in range(2):
            pickle.loads(pickle.dumps(experiment.training_source))
    folder = tmp_path / "train/images"
    assert [record.getMessage() for record in caplog.records] == [
        f"{folder}: 1 pair; not used in {folder}: 1 file of another kind (.gif 1; .gif: save them "
        "as .png)."
    ]


@pytest.mark.parametrize("name", ["ade20k", "coco_stuff", "celebamask_hq", "cityscapes"])
def test_sources_of_image_files_decode_as_the_config_says(tiny_experiment, name):
    given = {}

    def constructor(root, split, decoding):
        given["decoding"] = decoding

    choice = SOURCES[name]
    values = {"data.source": name, "data.max_megapixels": 2.5, "data.exif": "ignore"}
    experiment = tiny_experiment(**values)
    choice.opener(constructor, experiment.data, True, 0)
    assert given["decoding"] == Decoding(max_megapixels=2.5, applies_exif=False)
    assert {"max_megapixels", "exif"} <= set(choice.used_keys)
    assert experiment.unused_keys(["data.exif"]) == []
    assert tiny_experiment().unused_keys(["data.exif"]) == ["data.exif"]
