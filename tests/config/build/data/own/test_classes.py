"""Classes that the config gives to the user's own data."""

import dataclasses

import numpy as np
import pytest

from symmflow_jax.config.build.data.own import classes as own_classes
from symmflow_jax.config.values import DataConfig
from symmflow_jax.data.source import DataError


def _schema(experiment):
    """The classes, whether or not there are files."""
    return experiment.without_files().schema


def test_class_names_of_the_config_differ(experiment_of):
    names = {"data.class_names": ("road", "tree", "road")}
    with pytest.raises(ValueError, match="Two classes have the name 'road', .*'road .2.'"):
        _schema(experiment_of("paired_folder", **names))
    beside = {"data.class_names": ("road", "void"), "data.ignored_id": 255}
    schema = _schema(experiment_of("paired_folder", **beside))
    assert (schema.names, schema.ignored) == (("road", "void", "void (255)"), (2,))


FOUND = {1: "car", 3: "person", 7: "tree", 8: "bus"}


def test_several_ids_are_one_class():
    data = DataConfig(class_names=("sky", "road", "tree"), class_ids=(0, (1, 4), 3), ignored_id=255)
    schema = own_classes.of_ids(data)
    assert schema.names == ("sky", "road", "tree", "void")
    found = schema.from_raw(np.array([[0, 1, 4, 3, 255]], np.uint8), "a.png")
    np.testing.assert_array_equal(found, [[0, 1, 1, 2, 3]])
    assert schema.to_raw(np.array([1])) == 1
    with pytest.raises(ValueError, match="ignored_id is 4, which .* merges into 'road'"):
        own_classes.of_ids(dataclasses.replace(data, ignored_id=4))
    with pytest.raises(ValueError, match="Raw ids occur twice"):
        own_classes.of_ids(dataclasses.replace(data, class_ids=(0, (1, 0), 3)))


def test_several_colours_are_one_class():
    data = DataConfig(
        class_names=("sky", "road"), class_colours=("#000000", ("#ff0000", "#00ff00"))
    )
    colours = own_classes.colours_of(data, own_classes.of_ids(data))
    assert colours == ((0, 0, 0), ((255, 0, 0), (0, 255, 0)))


def test_labels_are_classes_beside_the_background():
    schema = own_classes.of_labels(DataConfig(), FOUND, 0)
    assert schema.names == ("background", "car", "person", "tree", "bus")
    assert schema.raw_ids == (0, 1, 3, 7, 8)


def test_labels_are_chosen_and_merged_by_name_or_id():
    chosen = own_classes.of_labels(DataConfig(class_names=("tree", "car")), FOUND, 0)
    assert (chosen.names, chosen.raw_ids) == (("background", "tree", "car"), (0, 7, 1))
    names = ("plant", "background", "vehicle")
    for keys in (
        {"class_labels": ("tree", "background", ("car", "bus"))},
        {"class_ids": (7, 0, (1, 8))},
    ):
        merged = own_classes.of_labels(DataConfig(class_names=names, **keys), FOUND, 0)
        assert (merged.names, merged.raw_ids) == (names, (7, 0, 1))
        assert merged.merged_ids == ((8, 2),)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"class_names": ("trees",)}, "No label of the annotations is 'trees'. Did you mean 'tree"),
        (
            {"class_names": ("a",), "class_labels": ("tree", "car")},
            "class_labels has 2 labels for 1 class_names",
        ),
        ({"class_names": ("a",), "class_ids": (2,)}, "class_ids has 2, which is no id .*1 .car."),
        (
            {"class_names": ("a",), "class_ids": (1,), "class_labels": ("car",)},
            "both choose the labels of the classes; clear one",
        ),
    ],
)
def test_labels_that_do_not_occur_are_told(keys, message):
    with pytest.raises(DataError, match=message):
        own_classes.of_labels(DataConfig(**keys), FOUND, 0)


def test_names_of_the_data_set_stand_in_for_those_of_the_config():
    names = {1: "sky", 2: "road"}
    schema = own_classes.of_numbered(DataConfig(), names, "")
    assert (schema.names, schema.raw_ids) == (("sky", "road"), (1, 2))
    shifted = own_classes.of_numbered(DataConfig(class_ids=(0, (1, 5))), names, "")
    assert (shifted.raw_ids, shifted.merged_ids) == ((0, 1), ((5, 1),))
    own = own_classes.of_numbered(DataConfig(class_names=("a", "b", "c")), names, "")
    assert own.names == ("a", "b", "c")
    with pytest.raises(DataError, match="class_names is empty.* Or put it there"):
        own_classes.of_numbered(DataConfig(), {}, "Or put it there.")
    with pytest.raises(DataError, match=r"class_ids has 1 ids for the 2 classes .*sky, road"):
        own_classes.of_numbered(DataConfig(class_ids=(1,)), names, "")
