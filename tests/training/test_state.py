"""The state before the first step."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from symmflow_jax.data.source import numbered_classes
from symmflow_jax.training.state import create_train_state


@pytest.fixture
def method(tiny_experiment):
    """A network for points."""
    values = {
        "data.source": "spirals",
        "data.image_size": (),
        "semantics.encoding": "plane",
        "network.name": "mlp",
    }
    return tiny_experiment(**values).with_schema(numbered_classes(2)).method


def test_a_training_begins_with_random_parameters_and_their_copy(method):
    state = create_train_state(method, optax.adam(1.0), jax.random.key(0))
    assert state.step.dtype == jnp.int32 and int(state.step) == 0
    kernels = [leaf for leaf in jax.tree.leaves(state.params) if leaf.ndim == 2]
    assert kernels and all(float(jnp.std(leaf)) > 0 for leaf in kernels)
    for leaf, average in zip(*map(jax.tree.leaves, (state.params, state.ema_params)), strict=True):
        assert leaf.dtype == jnp.float32
        np.testing.assert_array_equal(leaf, average)
        # A step gives both away.
        assert leaf.unsafe_buffer_pointer() != average.unsafe_buffer_pointer()
    assert optax.tree.norm(state.opt_state[0].mu) == 0.0


def test_the_key_decides(method):
    first, again, other = (
        create_train_state(method, optax.sgd(1.0), jax.random.key(seed)).params["dense_0"]["kernel"]
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_states_are_trees(method):
    state = create_train_state(method, optax.sgd(1.0), jax.random.key(0))
    doubled = jax.jit(lambda state: jax.tree.map(lambda leaf: 2 * leaf, state))(state)
    np.testing.assert_array_equal(
        doubled.params["dense_0"]["kernel"], 2 * state.params["dense_0"]["kernel"]
    )
    assert int(state.replace(step=jnp.asarray(3)).step) == 3
