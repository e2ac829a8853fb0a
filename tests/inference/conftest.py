"""Models of random weights, which answer without any training."""

import logging
from collections.abc import Callable

import jax
import pytest

from symmflow_jax.inference.model import Model
from symmflow_jax.methods.symmflow import Weights


@pytest.fixture(scope="session")
def random_model(tiny_experiment) -> Callable[..., Model]:
    """A function from overrides of the tiny config to a model."""

    def make(**overrides) -> Model:
        experiment = tiny_experiment(**{"network.channel_multipliers": (1,)} | overrides)
        # The first weights of a U-Net give zero.
        params = jax.tree.map(lambda leaf: leaf + 0.05, experiment.method.init(jax.random.key(0)))
        return Model(experiment, Weights(params), step=0)

    return make


@pytest.fixture
def log(caplog, monkeypatch):
    """The messages of the project's log."""
    monkeypatch.setattr(logging.getLogger("symmflow_jax"), "propagate", True)
    caplog.set_level(logging.INFO)
    return caplog
