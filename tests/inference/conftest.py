"""Models of random weights, which answer without any training."""

import functools
import logging
from collections.abc import Callable

import pytest

from symmflow_jax.inference.model import Model
from symmflow_jax.methods.weights import Weights
from tests.campaigns.experiments import random_params


@pytest.fixture(scope="session")
def random_model(tiny_experiment) -> Callable[..., Model]:
    """A function from overrides of the tiny config to a model, the same for the same ones."""

    @functools.cache
    def make(**overrides) -> Model:
        experiment = tiny_experiment(**{"network.channel_multipliers": (1,)} | overrides)
        return Model(experiment, Weights(random_params(experiment.method)), step=0)

    return make


@pytest.fixture
def log(caplog, monkeypatch):
    """The messages of the project's log."""
    monkeypatch.setattr(logging.getLogger("symmflow_jax"), "propagate", True)
    caplog.set_level(logging.INFO)
    return caplog
