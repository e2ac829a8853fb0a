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
        experiment = tiny_experiment(**overrides)
        return Model(experiment, Weights(random_params(experiment.method)), step=0)

    return make


@pytest.fixture(scope="session")
def two_clocks(random_model) -> Model:
    """A model of masks with a clock for each component, which can edit."""
    return random_model(**{"train.clock": "mixed", "semantics.encoding": "onehot"})


@pytest.fixture(scope="session")
def two_clocks_of_labels(random_model) -> Model:
    """The same for labels."""
    return random_model(
        **{"train.clock": "mixed", "semantics.encoding": "onehot", "semantics.kind": "label"}
    )


@pytest.fixture
def log(caplog, monkeypatch):
    """The messages of the project's log."""
    monkeypatch.setattr(logging.getLogger("symmflow_jax"), "propagate", True)
    caplog.set_level(logging.INFO)
    return caplog
