"""Construction of the optimizer, the train step and the distribution over devices."""

import dataclasses
import functools
import math
from collections.abc import Sequence

import jax
import optax

from symmflow_jax.config.choices import Choice
from symmflow_jax.config.schema.ranges import LARGEST
from symmflow_jax.config.values import Config, TrainConfig
from symmflow_jax.flow.state import IN_ALL, JointState
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.training.optimizers import adamw, one_cycle
from symmflow_jax.training.parallel.parallelism import Parallelism
from symmflow_jax.training.train_step import make_train_step

PARALLELISMS: dict[str, Choice] = {
    "pmap": Choice(
        "symmflow_jax.training.parallel.pmapped:Pmapped",
        "each device holds the whole training state",
    ),
    "fsdp": Choice(
        "symmflow_jax.training.parallel.sharded:fully_sharded",
        "each device holds a part of the training state",
    ),
}
"""The values of `config.parallel`; a constructor takes the devices of all processes."""


EPOCH_STEPS: dict[str, Choice] = {
    "exact": Choice(
        lambda: _exact_steps, "examples over batch size: batches run on into the next epoch"
    ),
    "whole": Choice(
        lambda: _whole_steps, "rounded up, as the published loader counts its last, smaller batch"
    ),
}
"""The values of `config.train.epoch_steps`; a constructor makes a function of two numbers."""


def _exact_steps(num_examples: int, batch_size: int) -> float:
    return num_examples / batch_size


def _whole_steps(num_examples: int, batch_size: int) -> float:
    return math.ceil(num_examples / batch_size)


def make_parallelism(config: Config, devices: Sequence[jax.Device] = ()) -> Parallelism:
    """Makes the distribution of training; by default over all devices of all processes."""
    return PARALLELISMS[config.parallel].resolve()(tuple(devices or jax.devices()))


def count_steps(config: TrainConfig, num_epochs: float, num_examples: int) -> int:
    """Number of steps of `num_epochs` epochs over `num_examples` examples, at least 1.

    `config.epoch_steps` says how many steps an epoch has.

    Raises:
        ValueError: if they are more than the counters on devices can hold.
    """
    steps_of_epoch = EPOCH_STEPS[config.epoch_steps].resolve()()
    steps = num_epochs * steps_of_epoch(num_examples, config.batch_size)
    if steps > LARGEST:
        raise ValueError(
            f"{num_epochs:g} epochs of {num_examples} examples are {steps:.3g} steps, more than "
            f"{LARGEST}; lower config.train.num_epochs."
        )
    return max(1, round(steps))


@dataclasses.dataclass(frozen=True)
class Schedule:
    """The lengths of a training.

    Attributes:
        num_steps: steps of the whole training.
        num_warmup_steps: steps in which the learning rate rises.
        batch_size: examples per step.
        num_examples: examples of the training split.
    """

    num_steps: int
    num_warmup_steps: int
    batch_size: int
    num_examples: int


def make_schedule(config: TrainConfig, num_examples: int) -> Schedule:
    """Makes the schedule for a training split of `num_examples` examples."""
    return Schedule(
        num_steps=count_steps(config, config.num_epochs, num_examples),
        num_warmup_steps=count_steps(config, config.warmup_epochs, num_examples),
        batch_size=config.batch_size,
        num_examples=num_examples,
    )


def make_optimizer(config: TrainConfig, num_examples: int) -> optax.GradientTransformation:
    """Makes the optimizer with its schedule for a training split of `num_examples` examples."""
    schedule = make_schedule(config, num_examples)
    learning_rate = one_cycle(
        schedule.num_steps,
        schedule.num_warmup_steps,
        config.peak_learning_rate,
        config.end_learning_rate,
    )
    return adamw(learning_rate, config.weight_decay, config.clip_norm)


def loss_weights(config: TrainConfig) -> JointState:
    """Weight of each component's loss."""
    return JointState(config.image_weight, 1.0 - config.image_weight)


def make_step(
    config: Config,
    method: SymmFlow,
    optimizer: optax.GradientTransformation,
    parallelism: Parallelism,
    shares: JointState = IN_ALL,
) -> jax.stages.Wrapped:
    """Compiles `train_step(state, codec_weights, batch, key) -> (state, metrics)` for all devices.

    The parallelism determines the placement of arguments and results. The step donates the
    buffers of the old state. `shares` are those of the training examples that have an image, and
    labels.
    """
    make = functools.partial(
        make_train_step,
        method,
        optimizer,
        loss_weights=loss_weights(config.train),
        ema_decay=config.train.ema_decay,
        shares=shares,
        num_microbatches=config.train.num_microbatches,
    )
    return parallelism.compile(make)
