"""States of a training that differ from step to step, and their descriptions."""

import json

import jax
import numpy as np

from symmflow_jax.semantics.labels import consecutive
from symmflow_jax.training.state import TrainState

_SCHEMA = json.loads(json.dumps(consecutive(("sky", "road")).to_json()))


def state_of(step: int) -> TrainState:
    return TrainState(
        step=np.asarray(step, np.int32),
        params={"dense": {"kernel": np.full((2, 3), 1.0 * step, np.float32)}},
        ema_params={"dense": {"kernel": np.full((2, 3), 0.5 * step, np.float32)}},
        opt_state=({"mu": np.arange(3, dtype=np.float32) + step},),
    )


def shapes_of(state: TrainState) -> TrainState:
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), state)


def description(step: int) -> dict:
    return {"config": {"seed": step}, "schema": _SCHEMA}


def assert_equal(first, second):
    assert jax.tree.structure(first) == jax.tree.structure(second)
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype
