"""Models of random weights, which answer without any training."""

import functools
import logging
from collections.abc import Callable

import jax
import pytest

from symmflow_jax.inference.model import Model
from symmflow_jax.methods.symmflow import Weights
from symmflow_jax.runtime import compilation


@pytest.fixture(scope="session")
def random_model(tiny_experiment) -> Callable[..., Model]:
    """A function from overrides of the tiny config to a model, the same for the same ones."""

    @functools.cache
    def make(**overrides) -> Model:
        experiment = tiny_experiment(**{"network.channel_multipliers": (1,)} | overrides)
        # This kind of key compiles in a fraction of the time.
        init = compilation.jit_once(experiment.method.init)
        # The first weights of a U-Net give zero.
        params = jax.tree.map(lambda leaf: leaf + 0.05, init(jax.random.key(0, impl="rbg")))
        return Model(experiment, Weights(params), step=0)

    return make


@pytest.fixture
def log(caplog, monkeypatch):
    """The messages of the project's log."""
    monkeypatch.setattr(logging.getLogger("symmflow_jax"), "propagate", True)
    caplog.set_level(logging.INFO)
    return caplog
