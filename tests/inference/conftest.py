"""Models of random weights, which answer without any training."""

from collections.abc import Callable

import jax
import pytest

from symmflow_jax.config.build import method, sources
from symmflow_jax.model import Model
from symmflow_jax.symmflow import Weights


@pytest.fixture(scope="session")
def random_model(tiny_config) -> Callable[..., Model]:
    """A function from overrides of the tiny config to a model."""

    def make(**overrides) -> Model:
        config = tiny_config(**{"network.channel_multipliers": (1,)} | overrides)
        schema = sources.schema(config, sources.source(config, train=True))
        flow = method.flow(config, schema)
        # The first weights of a U-Net give zero.
        params = jax.tree.map(lambda leaf: leaf + 0.05, flow.init(jax.random.key(0)))
        return Model(config, schema, flow, Weights(params), step=0)

    return make
