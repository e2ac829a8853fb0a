import dataclasses

import pytest

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.values import Config


def test_frozen_config_is_frozen_and_hashable():
    config = Config()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.train.batch_size = 3
    assert hash(config) == hash(Config())


def test_data_sets_are_called_by_source_and_name():
    data = {"source": "tfds", "name": "cifar10"}
    values = {"data": data, "semantics": {"encoding": "plane"}}
    assert Experiment.from_json(values).dataset == "tfds/cifar10"
    data = {"source": "coco_stuff", "name": "unused"}
    assert Experiment.from_json({"data": data}).dataset == "coco_stuff"
