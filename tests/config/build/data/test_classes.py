"""Classes of sources: renamed by the config, and compared with those of training."""

import logging

import pytest

from symmflow_jax.config.build.data.sources import SOURCES
from symmflow_jax.data.source import DataError

_HAVE_CLASSES = [
    name
    for name, choice in SOURCES.items()
    if not choice.has_own_classes and name not in ("npz", "packed")
]


def _schema(experiment):
    """The classes, whether or not there are files."""
    return experiment.without_files().schema


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
