"""Training of a config on synthetic points, for several seeds at once and on the device.

The networks of toy data are small, so that `symmflow_jax.train` would spend most of its time
around the steps, and a study repeats a training many times. Here the whole split lies on the
device, each step draws its batch there, and one program runs hundreds of steps for all seeds. The
train step is the same. There are no checkpoints and no log files.
"""

import dataclasses
import functools
import logging
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.reading.config_file import load
from symmflow_jax.data.batch import Batch, Points
from symmflow_jax.flow import keys
from symmflow_jax.flow.flow_map import MapStep
from symmflow_jax.flow.guidance import NO_GUIDANCE, Guidance
from symmflow_jax.flow.keys import Stream
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.runge_kutta import EULER, RungeKutta
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.compiled.predictions import SemanticsPrediction
from symmflow_jax.methods.symmflow import Sampled, SymmFlow
from symmflow_jax.methods.weights import FrozenWeights, Params, Weights
from symmflow_jax.training.state import TrainState, create_train_state
from symmflow_jax.training.train_step import make_train_step
from symmflow_jax.training.warm_start import inherit

_logger = logging.getLogger(__name__)

_STEPS_OF_ONE_PROGRAM = 500

_CHECKOUT = pathlib.Path(__file__).parents[2]


class Examples(NamedTuple):
    """The points of a split for each seed; the points depend on the seed.

    Attributes:
        points: float32 `[seeds, count, n]`.
        labels: int32 `[seeds, count]`.
    """

    points: jax.Array
    labels: jax.Array


@dataclasses.dataclass(frozen=True)
class TrainedSeeds:
    """One method with the averaged weights of several seeds.

    Attributes:
        method: the method.
        weights: arrays with a leading axis `[seeds]`.
        seeds: seeds of points, parameters and noise.
    """

    method: SymmFlow
    weights: Weights
    seeds: tuple[int, ...]

    def predict_semantics(self, points: jax.Array, num_steps: int) -> SemanticsPrediction:
        """Predicts labels of points `[seeds, count, n]` by Euler steps; arrays `[seeds, ...]`."""
        solve = FixedSteps(EULER, num_steps)
        return jax.vmap(
            lambda weights, key, points: predictions.predict_semantics(
                self.method, weights, key, jnp.arange(len(points)), Points(points), solve
            )
        )(self.weights, _keys(self.seeds, Stream.EVALUATION), points)

    def generate(
        self,
        labels: jax.Array,
        num_steps: int,
        guidance: Guidance = NO_GUIDANCE,
        method: RungeKutta | MapStep = EULER,
    ) -> jax.Array:
        """Generates points `[seeds, count, n]` from labels `[seeds, count]`, by Euler steps.

        Args:
            labels: int32 `[seeds, count]`.
            num_steps: steps of the solver.
            guidance: guidance towards the labels.
            method: the method of each step.

        The noise does not depend on guidance and method, so that they are comparable.
        """
        solve = FixedSteps(method, num_steps)
        return jax.vmap(
            lambda weights, key, labels: (
                predictions.generate(
                    self.method, weights, key, jnp.arange(len(labels)), labels, solve, guidance
                ).images
            )
        )(self.weights, _keys(self.seeds, Stream.EVALUATION), labels)

    def sample(self, count: int, num_steps: int) -> jax.Array:
        """Generates points `[seeds, count, n]` without labels by Euler steps.

        Raises:
            ValueError: if the network has one clock.
        """
        solve = FixedSteps(EULER, num_steps)
        return jax.vmap(
            lambda weights, key: (
                predictions.sample(
                    self.method, weights, key, jnp.arange(count), solve, Sampled.IMAGES
                ).images
            )
        )(self.weights, _keys(self.seeds, Stream.EVALUATION))


def experiment_of(config_file: str, changes: Mapping[str, Any]) -> Experiment:
    """The experiment of a config file with some of its values changed.

    Args:
        config_file: path in the checkout, such as "configs/spirals.py".
        changes: values by dotted key, such as `{"train.num_epochs": 2.0}`.

    Raises:
        ValueError: if there is no such file or key, or if a value is invalid.
    """
    values = load(str(_CHECKOUT / config_file)).to_dict()
    return Experiment.from_json(values).changed(changes)


def examples(experiment: Experiment, seeds: Sequence[int], *, train: bool) -> Examples:
    """All points of the training or evaluation split, for each seed."""
    points, labels = [], []
    for seed in seeds:
        of_seed = experiment.changed({"seed": seed})
        source = of_seed.training_source if train else of_seed.evaluation_source
        drawn = [source[index] for index in range(len(source))]
        points.append(np.stack([example["image"] for example in drawn]))
        labels.append(np.stack([example["label"] for example in drawn]))
    return Examples(jnp.asarray(np.stack(points)), jnp.asarray(np.stack(labels)))


def train(
    experiment: Experiment,
    seeds: Sequence[int],
    origin: TrainedSeeds | None = None,
    teacher: TrainedSeeds | None = None,
) -> TrainedSeeds:
    """Trains all seeds like `symmflow_jax.train`, but draws batches with replacement.

    Args:
        experiment: experiment with a source of points; its own seed is not used.
        seeds: seeds of points, parameters and noise.
        origin: networks of the same seeds and semantics whose weights the training begins with,
            as by `train.init_from`; None begins with random ones.
        teacher: networks of the same seeds that a flow map is trained towards, or None.

    Raises:
        FloatingPointError: if a loss is not finite.
    """
    method, optimizer, num_steps = experiment.method, experiment.optimizer, experiment.num_steps
    data = examples(experiment, seeds, train=True)
    training_keys = _keys(seeds, Stream.TRAINING)
    batch_keys = _keys(seeds, Stream.DRAWN_BATCHES)
    init = functools.partial(create_train_state, method, optimizer)
    state = jax.jit(jax.vmap(init))(_keys(seeds, Stream.INIT))
    if origin is not None:
        params = _inherited(origin, method)
        # Separate buffers, because training donates both.
        copies = (jax.tree.map(jnp.asarray, params) for _ in range(2))
        state = state.replace(params=next(copies), ema_params=next(copies))
    frozen = None if teacher is None else FrozenWeights(teacher=teacher.weights.network)
    advance = _make_advance(experiment)
    for start in range(0, num_steps, _STEPS_OF_ONE_PROGRAM):
        end = min(start + _STEPS_OF_ONE_PROGRAM, num_steps)
        state, losses = advance(state, frozen, training_keys, batch_keys, data, end - start)
        means = np.mean(losses, axis=0)
        if not np.isfinite(means).all():
            raise FloatingPointError(
                f"The loss was not finite between steps {start} and {end}: {means}; lower "
                "config.train.peak_learning_rate."
            )
        _logger.info("step %d/%d  losses %s", end, num_steps, np.round(means, 4))
    return TrainedSeeds(method, Weights(state.ema_params), tuple(seeds))


def _inherited(origin: TrainedSeeds, method: SymmFlow) -> Params:
    """Parameters `[seeds, ...]` of a method that begin with those of another one, on the host."""
    trained = jax.device_get(origin.weights.network)

    def of_seed(index: int, seed: int) -> Params:
        saved = jax.tree.map(lambda leaf: leaf[index], trained)
        key = keys.of_seed(seed, Stream.INIT)
        return inherit(saved, origin.method, method, key, keeps_semantics=True).params

    found = [of_seed(index, seed) for index, seed in enumerate(origin.seeds)]
    return jax.tree.map(lambda *leaves: np.stack(leaves), *found)


def clock_shares(
    tied: float, independent: float, clean_image: float, clean_semantics: float
) -> dict[str, float]:
    """Config values of `train.clock_shares`, by dotted key; the shares sum to 1."""
    shares = {
        "tied": tied,
        "independent": independent,
        "clean_image": clean_image,
        "clean_semantics": clean_semantics,
    }
    return {f"train.clock_shares.{name}": share for name, share in shares.items()}


def in_words(changes: Mapping[str, Any]) -> str:
    """Formats config values for a report."""
    return ", ".join(f"`{key}={value}`" for key, value in changes.items())


def _make_advance(
    experiment: Experiment,
) -> Callable[..., tuple[TrainState, jax.Array]]:
    """Makes the jitted program that runs `count` steps of all seeds.

    Its signature is `advance(state, frozen, training_keys, batch_keys, data, count) -> (state,
    losses)`, with losses `[count, seeds]`.
    """
    train = experiment.train
    step = make_train_step(
        experiment.method,
        experiment.optimizer,
        loss_weights=experiment.loss_weights,
        ema_decay=train.ema_decay,
    )

    def step_of_one_seed(
        state: TrainState,
        frozen: FrozenWeights | None,
        training_key: jax.Array,
        batch_key: jax.Array,
        data: Examples,
    ):
        batch_key = jax.random.fold_in(batch_key, state.step)
        chosen = jax.random.randint(batch_key, (train.batch_size,), 0, len(data.labels))
        batch = Batch(
            Points(data.points[chosen]), data.labels[chosen], jnp.arange(train.batch_size)
        )
        state, metrics = step(state, frozen, batch, training_key)
        return state, metrics["loss"]

    @functools.partial(jax.jit, static_argnames="count", donate_argnames="state")
    def advance(
        state: TrainState,
        frozen: FrozenWeights | None,
        training_keys: jax.Array,
        batch_keys: jax.Array,
        data: Examples,
        count: int,
    ):
        def body(state: TrainState, _: None):
            return jax.vmap(step_of_one_seed)(state, frozen, training_keys, batch_keys, data)

        return jax.lax.scan(body, state, length=count)

    return advance


def _keys(seeds: Sequence[int], name: Stream) -> jax.Array:
    """Keys of all seeds, `[seeds]`."""
    return jnp.stack([keys.of_seed(seed, name) for seed in seeds])
