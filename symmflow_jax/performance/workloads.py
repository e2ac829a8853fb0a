"""Workloads of a config on random examples: train step, generation and recognition."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data.batch import Batch, Pixels, Points
from symmflow_jax.data.source import numbered_classes
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps, euler
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.flow.state import JointState
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.methods.weights import FrozenWeights, Weights
from symmflow_jax.performance.timing import Task, alternate
from symmflow_jax.runtime.compilation import jit_once
from symmflow_jax.semantics import labels
from symmflow_jax.semantics.kinds import SemanticsKind
from symmflow_jax.training.optimizers import adamw, one_cycle
from symmflow_jax.training.state import TrainState, create_train_state
from symmflow_jax.training.train_step import make_train_step

TRAIN_STEP, GENERATION, RECOGNITION = "train step", "generation", "one-step recognition"
NAMES = (TRAIN_STEP, GENERATION, RECOGNITION)

# Number of classes if the config names none; speed hardly depends on it.
_NUM_CLASSES = 10


class Subject(NamedTuple):
    """Subject of a benchmark: a method and a batch for it.

    Attributes:
        experiment: the experiment, with its classes.
        batch: one batch, in the form of the pipeline's batches.
    """

    experiment: Experiment
    batch: Batch

    @property
    def method(self) -> SymmFlow:
        """The method."""
        return self.experiment.method

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the workloads that the method has: it may have learned one task alone."""
        sampling = self.method.time_sampling
        learned = {GENERATION: sampling.learns_images, RECOGNITION: sampling.learns_semantics}
        return tuple(name for name in NAMES if learned.get(name, True))

    @property
    def batch_size(self) -> int:
        """Number of examples of the batch."""
        return self.batch.size


def subject(experiment: Experiment, batch_size: int) -> Subject:
    """Makes the subject of an experiment, with random pixels (or points) and labels."""
    rng = np.random.default_rng(0)
    experiment = _with_classes(experiment)
    method, num_classes = experiment.method, experiment.schema.num_classes
    size = method.codec.image_shape[:2] if experiment.kind is SemanticsKind.MASK else ()
    points = len(method.codec.image_shape) == 1
    pixels = rng.integers(0, 256, (batch_size, *method.codec.image_shape))
    image = Points(pixels.astype(np.float32)) if points else Pixels(pixels.astype(np.uint8))
    labels = rng.integers(0, num_classes, (batch_size, *size), np.int32)
    batch = Batch(image, labels, np.arange(batch_size, dtype=np.int32))
    return Subject(experiment, batch)


def tasks(experiment: Experiment, batch_size: int) -> dict[str, Task]:
    """Makes the workloads by name, on random examples."""
    random_subject = subject(experiment, batch_size)
    method, batch = random_subject.method, random_subject.batch
    weights = jit_once(lambda key: Weights(method.init(key), method.codec.init(key)))(
        jax.random.key(0)
    )
    example_index, key = batch.example_index, jax.random.key(1)
    _, _, generation = experiment.generation_row

    def generate() -> Any:
        result = predictions.generate(method, weights, key, example_index, batch.labels, generation)
        return jax.block_until_ready(result)

    def predict_semantics() -> Any:
        once = euler(1)
        result = predictions.predict_semantics(
            method, weights, key, example_index, batch.image, once
        )
        return jax.block_until_ready(result)

    made: dict[str, Callable[[], Callable[[], Any]]] = {
        TRAIN_STEP: lambda: TrainSteps(random_subject),
        GENERATION: lambda: generate,
        RECOGNITION: lambda: predict_semantics,
    }
    return {name: made[name]() for name in random_subject.names}


class TrainSteps:
    """A task that runs one train step at each call, from the state of the previous call."""

    def __init__(self, subject: Subject):
        optimizer, create = beginning(subject)
        parallelism = subject.experiment.parallelism()
        self._state = parallelism.create(create, jax.random.key(0))
        self._step = subject.experiment.train_step(optimizer, parallelism)
        frozen = jit_once(functools.partial(frozen_weights, subject))(jax.random.key(2))
        self._frozen = parallelism.place(frozen)
        self._place_batch = parallelism.place_batch
        self._batch = self._place_batch(subject.batch)
        self._key = jax.random.key(1)

    def __call__(self) -> None:
        """Runs one step and waits for the result."""
        self._run(self._batch)

    def on(self, batch: Batch) -> None:
        """Runs one step on another batch of the same shapes, and waits for the result."""
        self._run(self._place_batch(batch))

    def _run(self, batch: Batch) -> None:
        result = self._step(self._state, self._frozen, batch, self._key)
        self._state, _ = jax.block_until_ready(result)


def programs(subject: Subject) -> dict[str, tuple[Callable, tuple]]:
    """The jitted programs at the start of a training by name, each with its arguments."""
    optimizer, create = beginning(subject)
    state, frozen = shapes(subject, create)
    parallelism = subject.experiment.parallelism()
    step = subject.experiment.train_step(optimizer, parallelism)
    return {
        "first state": (jit_once(create), (jax.random.key(0),)),
        TRAIN_STEP: (step, parallelism.arguments(state, frozen, subject.batch)),
    }


def flops(subject: Subject, names: Sequence[str] = ()) -> dict[str, float]:
    """Floating-point operations of workloads, as XLA counts them in the lowered programs.

    They are counted before optimisation, so that they do not depend on the compiler.

    Args:
        subject: the method and the batch.
        names: names of the workloads to count, all by default; each is traced.

    Raises:
        ValueError: if the JAX backend does not count operations.
    """
    method, batch = subject.method, subject.batch
    optimizer, create = beginning(subject)
    state, frozen = shapes(subject, create)
    train = subject.experiment.train

    def train_step() -> float:
        step = make_train_step(
            method,
            optimizer,
            loss_weights=subject.experiment.loss_weights,
            ema_decay=train.ema_decay,
        )
        return _count(step, state, frozen, batch, jax.random.key(0))

    def network() -> float:
        zeros = jnp.zeros(subject.batch_size)
        return _count(
            lambda params, x_t, y_t, t: method.network.apply({"params": params}, x_t, y_t, t),
            state.params,
            *(jnp.zeros((subject.batch_size, *shape)) for shape in method.codec.shapes),
            method.network_times(JointState(zeros, zeros), zeros),
        )

    def infer(function: Callable, condition: Any, solve: Solve) -> float:
        weights = Weights(state.params, frozen.codec)
        given = weights, jax.random.key(0), batch.example_index, condition
        return _count(lambda *arguments: function(method, *arguments, solve), *given)

    def generation() -> float:
        solver, _, solve = subject.experiment.generation_row
        if not isinstance(solve, FixedSteps):
            raise ValueError(
                f"config.eval.generation_solver is {solver!r}, whose steps depend on the images; "
                "choose one of fixed steps, such as 'euler'."
            )
        once = infer(predictions.generate, batch.labels, solve)
        # XLA counts the body of the loop over steps only once.
        return once + (solve.nfe - solve.nfe // solve.num_steps) * network()

    counts = {
        TRAIN_STEP: train_step,
        GENERATION: generation,
        RECOGNITION: lambda: infer(predictions.predict_semantics, batch.image, euler(1)),
    }
    return {name: counts[name]() for name in names or subject.names}


def matmul_flops_per_second(size: int = 2048) -> float:
    """Measures the FLOP/s of a square float32 matrix product on this machine, as a reference."""
    product = jax.jit(jnp.matmul)
    matrix = jnp.ones((size, size))

    def multiply() -> None:
        jax.block_until_ready(product(matrix, matrix))

    return 2.0 * size**3 / alternate({"product": multiply}, num_rounds=9)["product"]


def _count(function: Callable, *arguments: Any) -> float:
    # The GPU backend does not count; the lowered program is the same on CPU.
    with jax.default_device(jax.devices("cpu")[0]):
        analysis = jax.jit(function).lower(*arguments).cost_analysis()
    if not analysis:
        raise ValueError("This JAX backend counts no operations.")
    return analysis["flops"]


def _with_classes(experiment: Experiment) -> Experiment:
    """The experiment with the classes that its config names, or with numbered classes."""
    names = experiment.data.class_names
    schema = labels.consecutive(names, experiment.data.ignored_id) if names else None
    return experiment.with_schema(schema or numbered_classes(_NUM_CLASSES))


def shapes(
    subject: Subject, create: Callable[[jax.Array], TrainState]
) -> tuple[TrainState, FrozenWeights]:
    """Shapes of the initial state and of the weights that no step changes."""
    key = jax.random.key(0)
    frozen = jax.eval_shape(functools.partial(frozen_weights, subject), key)
    return jax.eval_shape(create, key), frozen


def frozen_weights(subject: Subject, key: jax.Array) -> FrozenWeights:
    """Random weights in the place of those that no step changes."""
    method = subject.method
    teacher = dataclasses.replace(method, has_span=False)
    has_teacher = subject.experiment.has_teacher
    return FrozenWeights(method.codec.init(key), teacher.init(key) if has_teacher else None)


def beginning(
    subject: Subject,
) -> tuple[optax.GradientTransformation, Callable[[jax.Array], TrainState]]:
    """An optimizer like the experiment's, and a function from a key to the initial state.

    The optimizer has the experiment's rates but a fixed schedule of 1,000 steps, since the length
    of a training depends on its data.
    """
    train = subject.experiment.train
    schedule = one_cycle(1_000, 100, train.peak_learning_rate, train.end_learning_rate)
    optimizer = adamw(schedule, train.weight_decay, train.clip_norm)
    return optimizer, functools.partial(create_train_state, subject.method, optimizer)
