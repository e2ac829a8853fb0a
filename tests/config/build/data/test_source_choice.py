"""Entries of the table of sources."""

import pytest

from symmflow_jax.config.build.data.source_choice import SOURCE_KEYS
from symmflow_jax.config.build.data.sources import SOURCES


@pytest.mark.parametrize("name", SOURCES)
def test_sources_use_keys_of_the_config(tiny_experiment, name):
    used = SOURCES[name].used_keys
    assert set(used) < SOURCE_KEYS and len(set(used)) == len(used)
    assert all(hasattr(tiny_experiment().data, key) for key in used)


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
