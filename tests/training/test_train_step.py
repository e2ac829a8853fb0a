"""The train step as a function of state, batch and key."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from symmflow_jax.data.batch import Batch, Points
from symmflow_jax.data.source import numbered_classes
from symmflow_jax.flow.state import JointState
from symmflow_jax.training.state import create_train_state
from symmflow_jax.training.train_step import make_train_step

_RATE = 0.5


@pytest.fixture
def stepped(tiny_experiment, standard_dtype_promotion):
    """A state, the state after a step of plain gradient descent, and the step's metrics."""
    experiment = tiny_experiment(
        **{
            "data.source": "spirals",
            "data.image_size": (),
            "semantics.encoding": "plane",
            "network.name": "mlp",
        }
    )
    method = experiment.with_schema(numbered_classes(2)).method
    optimizer = optax.sgd(_RATE)
    state = create_train_state(method, optimizer, jax.random.key(0))
    rng = np.random.default_rng(0)
    batch = Batch(
        Points(rng.standard_normal((6, 2)).astype(np.float32)),
        np.array([0, 1, 0, 1, 1, 0], np.int32),
        np.arange(6, dtype=np.int32),
    )
    step = make_train_step(method, optimizer, loss_weights=JointState(0.5, 0.5), ema_decay=0.75)
    return state, *jax.jit(step)(state, None, batch, jax.random.key(1))


def test_the_gradient_norm_is_that_of_all_leaves_together(stepped):
    before, after, metrics = stepped
    gradients = jax.tree.map(lambda old, new: (old - new) / _RATE, before.params, after.params)
    squares = sum(np.sum(np.square(leaf, dtype=np.float64)) for leaf in jax.tree.leaves(gradients))
    assert float(metrics["gradient_norm"]) == pytest.approx(np.sqrt(squares), rel=1e-4)


def test_a_step_counts_and_moves_the_average_a_quarter_of_the_way(stepped):
    before, after, metrics = stepped
    assert int(after.step) == 1
    assert float(metrics["loss"]) > 0
    for old, new, average in zip(
        *map(jax.tree.leaves, (before.params, after.params, after.ema_params)), strict=True
    ):
        np.testing.assert_allclose(average, 0.75 * old + 0.25 * new, rtol=1e-5, atol=1e-7)
    assert any(
        jnp.any(old != new)
        for old, new in zip(
            jax.tree.leaves(before.params), jax.tree.leaves(after.params), strict=True
        )
    )
