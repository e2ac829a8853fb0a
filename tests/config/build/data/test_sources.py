"""Data sources by name."""

import pytest

from symmflow_jax.config.build.data.sources import SOURCES
from symmflow_jax.semantics.kinds import SemanticsKind


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_is_a_class_of_examples(name):
    constructor = SOURCES[name].resolve()
    assert isinstance(constructor, type)
    for method in ("__len__", "__getitem__", "schemas"):
        assert hasattr(constructor, method)


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


@pytest.mark.parametrize("name", SOURCES)
def test_scores_call_a_data_set_by_the_name_of_its_files_where_there_are_several(
    experiment_of, name
):
    found = experiment_of(name, **{"data.name": "blood"}).dataset
    assert found == (f"{name}/blood" if name in ("tfds", "npz") else name)
