"""Steps, optimizer, train step and how devices share a training, of a config."""

import functools
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from symmflow_jax.config import conversion
from symmflow_jax.config.build.training import (
    PARALLELISMS,
    count_steps,
    loss_weights,
    make_optimizer,
    make_parallelism,
    make_schedule,
)
from symmflow_jax.config.reading import config_file
from symmflow_jax.config.values import TrainConfig
from symmflow_jax.performance import workloads
from symmflow_jax.training.optimizers import adamw, one_cycle
from symmflow_jax.training.state import create_train_state

ROOT = pathlib.Path(__file__).parents[3]

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


@pytest.mark.parametrize(
    ("num_epochs", "num_examples", "steps"),
    [(1.0, 64, 8), (1.0, 65, 9), (2.0, 67, 18), (0.5, 67, 4), (3.0, 5, 3)],
)
def test_a_smaller_last_batch_counts_where_epochs_have_whole_steps(num_epochs, num_examples, steps):
    config = TrainConfig(batch_size=8, epoch_steps="whole")
    assert count_steps(config, num_epochs, num_examples) == steps


def test_steps_of_an_epoch_are_counted_in_known_ways(tiny_experiment):
    with pytest.raises(ValueError, match="epoch_steps is 'ceil'; choose one of exact, whole"):
        tiny_experiment(**{"train.epoch_steps": "ceil"})


@pytest.mark.parametrize(
    ("name", "num_examples", "num_steps", "num_warmup_steps"),
    [
        ("mnist", 60_000, 118_000, 11_800),
        ("cifar10", 50_000, 278_000, 27_800),
        ("celebamask_hq", 24_183, 75_600, 3_780),
        ("coco", 118_287, 185_000, 9_250),
    ],
)
def test_runs_of_the_paper_are_as_long_and_learn_as_fast_as_published(
    name, num_examples, num_steps, num_warmup_steps, standard_dtype_promotion
):
    # The rates are those of PyTorch's schedule, with the published devices (make_one_cycle.py).
    reference = np.load(ROOT / "tests/fixtures/one_cycle.npz")
    values = config_file.load(str(ROOT / "configs" / f"{name}.py"))
    train = conversion.from_config_dict(values).train
    schedule = make_schedule(train, num_examples)
    assert (schedule.num_steps, schedule.num_warmup_steps) == (num_steps, num_warmup_steps)
    assert reference[f"{name}/total"] == num_steps
    rates = one_cycle(
        num_steps, num_warmup_steps, train.peak_learning_rate, train.end_learning_rate
    )
    steps, expected = reference[f"{name}/steps"], reference[f"{name}/rates"]
    np.testing.assert_allclose(jax.vmap(rates)(steps), expected, rtol=1e-4)
    peak = float(rates(num_warmup_steps - 1))
    assert peak == pytest.approx(train.peak_learning_rate, rel=1e-6)
    assert float(rates(num_steps - 1)) == pytest.approx(1e-6, rel=1e-4)


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
