import dataclasses

import pytest

from symmflow_jax.config.values import Config


def test_frozen_config_is_frozen_and_hashable():
    config = Config()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.train.batch_size = 3
    assert hash(config) == hash(Config())
