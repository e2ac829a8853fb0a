import dataclasses

import pytest

from symmflow_jax.config.values import Config, DataConfig


def test_frozen_config_is_frozen_and_hashable():
    config = Config()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.train.batch_size = 3
    assert hash(config) == hash(Config())


def test_data_sets_are_called_by_source_and_name():
    assert DataConfig(source="tfds", name="cifar10").dataset == "tfds/cifar10"
    assert DataConfig(source="coco_stuff", name="unused").dataset == "coco_stuff"
