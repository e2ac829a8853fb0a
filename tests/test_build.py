"""From configs to parts: what the parts promise."""

import functools

import jax
import pytest

from symmflow_jax import build
from symmflow_jax.benchmark import workloads
from symmflow_jax.train_step import adamw, create_train_state, one_cycle

pytestmark = pytest.mark.usefixtures("standard_dtype_promotion")


def test_the_train_step_overwrites_its_state(tiny_config):
    config = tiny_config()
    subject = workloads.subject(config, config.train.batch_size)
    optimizer = adamw(one_cycle(10, 1, 1e-3, 1e-6), 0.0, None)
    create = functools.partial(create_train_state, subject.flow, optimizer)
    parallelism = build.parallelism(config)
    shapes = jax.eval_shape(create, jax.random.key(0))
    step = build.train_step(config, subject.flow, optimizer, parallelism)
    arguments = parallelism.arguments(shapes, subject.batch)
    memory = step.lower(*arguments).compile().memory_analysis()
    state = parallelism.place(
        jax.tree.map(lambda leaf: jax.numpy.zeros(leaf.shape, leaf.dtype), shapes)
    )
    batch = parallelism.place_batch(subject.batch)
    assert memory.alias_size_in_bytes == sum(leaf.nbytes for leaf in jax.tree.leaves(state))
    step(state, batch, jax.random.key(1))
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(state))
