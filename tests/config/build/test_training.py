"""Steps, optimizer, train step and how devices share a training, of a config."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.config.build.training import (
    PARALLELISMS,
    count_steps,
    loss_weights,
    make_optimizer,
    make_parallelism,
)
from symmflow_jax.config.values import TrainConfig
from symmflow_jax.performance import workloads
from symmflow_jax.training.optimizers import adamw, one_cycle
from symmflow_jax.training.state import create_train_state

_POINTS = {
    "data.source": "spirals",
    "data.image_size": (),
    "semantics.encoding": "plane",
    "network.name": "mlp",
}


@pytest.mark.parametrize("name", PARALLELISMS)
def test_the_train_step_overwrites_its_state(tiny_experiment, standard_dtype_promotion, name):
    experiment = tiny_experiment(**_POINTS, parallel=name)
    subject = workloads.subject(experiment, experiment.train.batch_size)
    optimizer = adamw(one_cycle(10, 1, 1e-3, 1e-6), 0.0, None)
    create = functools.partial(create_train_state, subject.method, optimizer)
    parallelism = experiment.parallelism()
    shapes = jax.eval_shape(create, jax.random.key(0))
    step = experiment.train_step(optimizer, parallelism)
    arguments = parallelism.arguments(shapes, None, subject.batch)
    memory = step.lower(*arguments).compile().memory_analysis()
    state = parallelism.place(
        jax.tree.map(lambda leaf: jax.numpy.zeros(leaf.shape, leaf.dtype), shapes)
    )
    batch = parallelism.place_batch(subject.batch)
    assert memory.alias_size_in_bytes == sum(leaf.nbytes for leaf in jax.tree.leaves(state))
    step(state, None, batch, jax.random.key(1))
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(state))


def test_unknown_ways_to_share_are_refused_with_the_list(tiny_experiment):
    with pytest.raises(ValueError, match="config.parallel is 'ddp'; choose one of pmap, fsdp"):
        tiny_experiment(parallel="ddp")


@pytest.mark.parametrize("name", PARALLELISMS)
def test_devices_are_those_given_or_all(tiny_experiment, name):
    config = tiny_experiment(parallel=name).config
    assert make_parallelism(config) == make_parallelism(config, jax.devices())


@pytest.mark.parametrize(
    ("num_epochs", "num_examples", "steps"),
    [(1.0, 64, 8), (2.5, 64, 20), (1.0, 67, 8), (0.5, 8, 1), (0.01, 8, 1), (0.0, 64, 1)],
)
def test_steps_of_passes_over_the_examples(num_epochs, num_examples, steps):
    assert count_steps(TrainConfig(batch_size=8), num_epochs, num_examples) == steps


def test_the_parts_of_the_loss_add_up_to_one():
    weights = loss_weights(TrainConfig(image_weight=0.75))
    assert weights.image == 0.75 and weights.semantics == 0.25


def test_the_learning_rate_rises_for_the_epochs_of_the_warm_up(standard_dtype_promotion):
    config = TrainConfig(
        batch_size=8,
        num_epochs=5.0,
        warmup_epochs=1.0,
        peak_learning_rate=0.5,
        end_learning_rate=0.005,
    )
    optimizer = make_optimizer(config, num_examples=16)  # 10 steps, of which 2 warm up.
    params = jnp.zeros(1)
    state, sizes = optimizer.init(params), []
    for _ in range(10):
        # Adam moves by the learning rate where all gradients are equal.
        updates, state = optimizer.update(jnp.ones(1), state, params)
        sizes.append(-float(updates[0]))
    # The last step of the warm-up has the peak, the last of all has the end.
    assert np.argmax(sizes) == 1 and sizes[1] == pytest.approx(0.5, rel=1e-4)
    assert sizes[0] == pytest.approx(0.005, rel=1e-4)
    assert sizes[9] == pytest.approx(0.005, rel=1e-3)
