"""Scenes in memory, with masks or without, and trainings on mixtures of them."""

import dataclasses
import functools
import logging
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data import pipeline
from symmflow_jax.data.batch import Pixels
from symmflow_jax.data.mixing.mixture import Mixture
from symmflow_jax.data.source import Source
from symmflow_jax.flow import keys
from symmflow_jax.flow.keys import Stream
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.runge_kutta import EULER
from symmflow_jax.flow.time_sampling import TimeSampling
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.compiled.predictions import SemanticsPrediction
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.methods.weights import Weights
from symmflow_jax.semantics.labels import LabelSchema
from symmflow_jax.training.state import create_train_state
from symmflow_jax.training.train_step import make_train_step

_logger = logging.getLogger(__name__)

_ONCE = FixedSteps(EULER, 1)
_BATCH_SIZE = 100
_LOG_EVERY = 200


@dataclasses.dataclass(frozen=True)
class Scenes:
    """Examples in memory, at the size of the model.

    Attributes:
        schemas: the classes of "mask", or empty.
        elements: the examples.
    """

    schemas: dict[str, LabelSchema]
    elements: tuple[dict[str, Any], ...]

    @classmethod
    def drawn(cls, experiment: Experiment, source: Source, count: int) -> "Scenes":
        """The first examples of a source, as training sees them."""
        prepared = (experiment.preparation.prepare(source[index]) for index in range(count))
        return cls(
            source.schemas,
            tuple({"image": one["image"], "mask": one["labels"]} for one in prepared),
        )

    @property
    def images(self) -> np.ndarray:
        """uint8 `[count, height, width, 3]`."""
        return np.stack([element["image"] for element in self.elements])

    @property
    def masks(self) -> np.ndarray:
        """int32 `[count, height, width]`."""
        return np.stack([element["mask"] for element in self.elements])

    def without_masks(self) -> "Scenes":
        """The images alone."""
        images = tuple({"image": element["image"]} for element in self.elements)
        return Scenes({}, images)

    def with_masks(self, masks: np.ndarray, chosen: np.ndarray) -> "Scenes":
        """Some of the images with other masks, int `[count, height, width]`."""
        elements = tuple(
            {"image": self.elements[index]["image"], "mask": masks[index]} for index in chosen
        )
        return Scenes(self.schemas, elements)

    def __len__(self) -> int:
        return len(self.elements)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.elements[index]


def train(
    experiment: Experiment,
    scenes: Scenes,
    mixture: Mixture,
    num_steps: int,
    method: SymmFlow | None = None,
) -> Weights:
    """Trains like `symmflow_jax.train`, on one device and without files; averaged weights.

    Args:
        experiment: method and settings; its own data is not used.
        scenes: the examples with masks.
        mixture: further parts of the training data.
        num_steps: number of steps.
        method: another method than that of the experiment, here and below.
    """
    method = method or experiment.method
    values = experiment.train
    optimizer = experiment.changed(
        {"train.num_epochs": num_steps * values.batch_size / experiment.data.train_size}
    ).optimizer
    create = functools.partial(create_train_state, method, optimizer)
    state = jax.jit(create)(keys.of_seed(experiment.seed, Stream.INIT))
    step = jax.jit(
        make_train_step(
            method,
            optimizer,
            loss_weights=experiment.loss_weights,
            ema_decay=values.ema_decay,
            shares=mixture.shares,
        ),
        donate_argnums=0,
    )
    batches = pipeline.training_batches(
        scenes,
        experiment.preparation,
        batch_size=values.batch_size,
        seed=experiment.seed,
        mixture=mixture,
    )
    key = keys.of_seed(experiment.seed, Stream.TRAINING)
    for number in range(num_steps):
        state, metrics = step(state, None, next(batches), key)
        if number % _LOG_EVERY == 0:
            _logger.info("step %d of %d  loss %.3f", number, num_steps, float(metrics["loss"]))
    return Weights(state.ema_params)


def read(
    experiment: Experiment, weights: Weights, images: np.ndarray, method: SymmFlow | None = None
) -> SemanticsPrediction:
    """One-step predictions of images uint8 `[count, height, width, 3]`."""
    key = keys.of_seed(experiment.seed, Stream.EVALUATION)
    found = [
        predictions.predict_semantics(
            method or experiment.method, weights, key, index, Pixels(part), solve=_ONCE
        )
        for index, part in _batches(images)
    ]
    return jax.tree.map(lambda *parts: np.concatenate(parts)[: len(images)], *found)


def generate(
    experiment: Experiment,
    weights: Weights,
    masks: np.ndarray,
    num_steps: int,
    method: SymmFlow | None = None,
) -> np.ndarray:
    """Images of masks int `[count, height, width]` by Euler steps, uint8."""
    key = keys.of_seed(experiment.seed, Stream.EVALUATION)
    solve = FixedSteps(EULER, num_steps)
    found = [
        predictions.generate(
            method or experiment.method, weights, key, index, jnp.asarray(part, jnp.int32), solve
        ).images
        for index, part in _batches(masks)
    ]
    return np.concatenate(found)[: len(masks)]


def image_loss(
    experiment: Experiment, weights: Weights, scenes: Scenes, *, given_masks: bool
) -> float:
    """The mean loss of the image's velocity beside the masks, or beside semantics of noise."""
    share = "clean_semantics" if given_masks else "noise_semantics"
    sampling = TimeSampling(**{"tied": 0.0, share: 1.0})
    method = dataclasses.replace(experiment.method, time_sampling=sampling)
    key = keys.of_seed(experiment.seed, Stream.EVALUATION)
    masks = scenes.masks
    found = [
        predictions.losses(
            method,
            weights,
            key,
            index,
            Pixels(part),
            jnp.asarray(masks[index % len(masks)]),
            experiment.loss_weights,
        ).image
        for index, part in _batches(scenes.images)
    ]
    return float(np.mean(np.concatenate(found)[: len(masks)]))


def _batches(images: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of one size, with the numbers of their images; the last one goes on at the first."""
    for start in range(0, len(images), _BATCH_SIZE):
        index = np.arange(start, start + _BATCH_SIZE)
        yield index, images[index % len(images)]
