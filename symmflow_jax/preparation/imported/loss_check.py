"""A check of imported weights: their loss on a few examples beside that of simple predictors.

It never stops an import. Three comparisons need no bound that depends on data or network (the
figures are of tiny networks for drawn scenes and their labels, with 16 and 64 examples):

- Weights that have learned the flow beat the best linear predictor, which knows nothing but the
  mean and variance of each channel (`predictors`): images have 0.35 to 0.55 of its loss, semantics
  0.5 to 0.7. Random weights do not. Other colours give 0.95 and more of the loss of semantics.
- At t = 1 the semantics are pure noise, and a network can only read them from the clean image. Its
  mean reading over the noise is nearer to the truth than the mean of the data, unless its classes
  have other colours or codes. Mean readings, since a network that has learned labels little takes
  the noise for a label.
- With the settings that the weights were made with, the loss is lower than with others on the same
  examples, times and noise (`assumed_settings`).

What it cannot show: colours that are wrong for few pixels, or that weights have hardly learned to
read; settings that hardly change the loss because attention has learned little (more examples find
smaller differences); and weights that have learned something similar.
"""

import dataclasses
import functools
import logging
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.data import pipeline
from symmflow_jax.data.batch import Batch, Images
from symmflow_jax.data.source import DataError
from symmflow_jax.flow import keys
from symmflow_jax.flow.keys import Stream
from symmflow_jax.flow.objectives.symmetric import Losses
from symmflow_jax.flow.parameterizations.velocity import VelocityParameterization
from symmflow_jax.flow.state import JointState, map_components
from symmflow_jax.flow.time_sampling import TimeSampling, TrainingTimes
from symmflow_jax.methods.symmflow import SymmFlow, TrainingDraw
from symmflow_jax.methods.weights import Params, Weights
from symmflow_jax.preparation.imported.predictors import (
    LinearPredictor,
    ZeroPredictor,
    statistics_of,
)
from symmflow_jax.runtime.errors import first_line

_logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, eq=False)
class Candidate:
    """Weights as a network of certain settings has them.

    Attributes:
        method: the method with the network.
        load: makes the parameters of the network, of one clock.
        changes: the flags that give these settings; empty for those of the import.
    """

    method: SymmFlow
    load: Callable[[], Params]
    changes: str = ""


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Mean losses of the imported weights and of predictors without a network.

    Attributes:
        imported: that of the imported weights.
        simple: that of the linear predictor; for a network that predicts no velocity, that of
            zeros.
        zero: that of a network whose output is zero.
    """

    imported: float
    simple: float
    zero: float

    @property
    def share(self) -> float:
        """The loss of the weights as a share of that without a network."""
        return self.imported / self.simple if self.simple else math.nan


class Findings(NamedTuple):
    """What a check finds.

    Attributes:
        image: losses of images.
        semantics: losses of semantics.
        reading_error: squared error of the mean reading of semantics from clean images, as a share
            of their variance.
    """

    image: Comparison
    semantics: Comparison
    reading_error: float


def check_losses(
    experiment: Experiment, candidates: Sequence[Candidate], codec_weights: Params, count: int
) -> None:
    """Logs the losses of imported weights, with a warning if they look wrong; never raises.

    Args:
        experiment: the run, with its classes.
        candidates: the imported weights, and what else they may be.
        codec_weights: weights of the codec, or None.
        count: number of examples, at least 1.
    """
    try:
        split, batch = _examples(experiment, count)
        found, totals = _measure(experiment, candidates, codec_weights, batch)
    except Exception as error:  # The weights are saved; no data or device may spoil that.
        _logger.warning(
            "The loss of the imported weights was not checked: %s To check it, give the data "
            "(config.data) and import into another --workdir, or run --mode=evaluate "
            "--config.eval.metrics=objective.",
            first_line(error),
        )
        return
    _logger.info(
        "Loss on %d examples of the %s split: images %s; semantics %s. Semantics read from clean "
        "images are off by %.2f of their variance.",
        len(totals[0]),
        split,
        *(
            f"{part.imported:.4f} (without a network {part.simple:.4f}, zeros {part.zero:.4f})"
            for part in found[:2]
        ),
        found.reading_error,
    )
    better = better_of(totals)
    if better:
        _logger.warning(
            "With %s the loss is %.4f instead of %.4f on the same examples: the weights were "
            "probably made with these settings. Import them again with them, into another "
            "--workdir.",
            candidates[better].changes,
            np.mean(totals[better]),
            np.mean(totals[0]),
        )
        return
    for warning in warnings_of(found):
        _logger.warning("%s", warning)


def warnings_of(found: Findings) -> list[str]:
    """What the losses say against the imported weights, a sentence or two; empty for nothing."""
    if not found.image.share < _LARGEST_IMAGE_SHARE:
        return [
            f"The loss of images, {found.image.imported:.4f}, is that of weights that have not "
            f"learned these images: without a network it is {found.image.simple:.4f}. Compare "
            "config.network, config.data and --weights_key with the training of the weights."
        ]
    advice = (
        "although images are known: the classes have other colours or codes than the weights have "
        "learned. Compare config.semantics and the classes of config.data with the training of the "
        "weights."
    )
    if not found.semantics.share < _LARGEST_SEMANTICS_SHARE:
        return [
            f"The loss of semantics, {found.semantics.imported:.4f}, is not clearly below that "
            f"without a network, {found.semantics.simple:.4f}, {advice}"
        ]
    if not found.reading_error < _LARGEST_READING_ERROR:
        return [
            f"Semantics read from clean images are off by {found.reading_error:.2f} of their "
            f"variance, {advice}"
        ]
    return []


def better_of(totals: Sequence[np.ndarray]) -> int:
    """The candidate that is clearly better than the first one; 0 if there is none.

    Args:
        totals: by candidate, the losses `[examples]` of the same examples, times and noise.
    """
    means = [float(np.mean(losses)) if np.all(np.isfinite(losses)) else math.inf
             for losses in totals]  # fmt: skip
    best = int(np.argmin(means))
    if not math.isfinite(means[0]) or len(totals[0]) < 2:
        return best if means[best] < means[0] else 0
    gains = totals[0] - totals[best]
    error = float(np.std(gains, ddof=1)) / math.sqrt(len(gains))
    is_clear = np.mean(gains) > max(_MIN_ERRORS * error, _MIN_GAIN * means[0])
    return best if is_clear else 0


def _examples(experiment: Experiment, count: int) -> tuple[str, Batch]:
    """Examples at equal distances in the evaluation split, or without it in that for training.

    Raises:
        DataError: if there is neither.
    """
    try:
        split, source = "evaluation", experiment.evaluation_source
    except DataError as error:
        try:
            split, source = "training", experiment.uncached_training_source
        except DataError:
            raise error from None
    batches = pipeline.evaluation_batches(
        source,
        experiment.preparation,
        batch_size=min(count, len(source)),
        num_examples=count,
        spread=True,
        skip_errors=experiment.skips_errors,
    )
    return split, next(iter(batches))


def _measure(
    experiment: Experiment, candidates: Sequence[Candidate], codec_weights: Params, batch: Batch
) -> tuple[Findings, list[np.ndarray]]:
    """The findings of the first candidate, and the losses `[examples]` of all of them."""
    own = _of_one_clock(candidates[0].method)
    key = keys.of_seed(experiment.seed, Stream.EVALUATION)
    weights = Weights(None, codec_weights)
    drawn = _draw(own, weights, key, batch.example_index, batch.image, batch.labels)

    def losses(method: SymmFlow, params: Params, drawn: TrainingDraw) -> Losses:
        weights = Weights(params)
        found = _losses(method, weights, drawn, batch.labels, experiment.loss_weights)
        # Examples that could not be read are padding.
        return jax.tree.map(lambda loss: np.asarray(loss)[batch.valid], jax.device_get(found))

    velocity = VelocityParameterization()
    linear = dataclasses.replace(
        own,
        network=LinearPredictor(own.paths),
        parameterizations=JointState(velocity, velocity),
    )
    zero = dataclasses.replace(own, network=ZeroPredictor())
    params = candidates[0].load()
    imported, without, zeros = (
        losses(method, parameters, drawn)
        for method, parameters in (
            (own, params),
            (linear, statistics_of(drawn.data)),
            (zero, {}),
        )
    )

    def compare(name: str) -> Comparison:
        parameterization = getattr(own.parameterizations, name)
        is_velocity = isinstance(parameterization, VelocityParameterization)
        simple = without if is_velocity else zeros
        return Comparison(
            *(float(np.mean(getattr(found, name))) for found in (imported, simple, zeros))
        )

    residuals = [
        np.asarray(_residual(own, Weights(params), _with_noise(own, key, drawn, batch, number)))
        for number in range(_NUM_READINGS)
    ]
    semantics = np.asarray(drawn.data.semantics, np.float32)[batch.valid]
    error = reading_error([residual[batch.valid] for residual in residuals], semantics)
    others = [
        losses(_of_one_clock(candidate.method), candidate.load(), drawn)
        for candidate in candidates[1:]
    ]
    totals = [np.asarray(found.total) for found in (imported, *others)]
    return Findings(compare("image"), compare("semantics"), error), totals


def reading_error(residuals: Sequence[np.ndarray], semantics: np.ndarray) -> float:
    """The squared error of the mean reading, as a share of the variance of the semantics.

    Products of errors that come from different noise leave out what the noise adds.

    Args:
        residuals: at least two arrays `[examples, ..., channels]`, the errors of readings from
            independent noise.
        semantics: the true ones, of the same shape.
    """
    count, total = len(residuals), np.sum(residuals, axis=0)
    products = np.square(total) - np.sum(np.square(residuals), axis=0)
    axes = tuple(range(semantics.ndim - 1))
    variance = float(np.mean(np.var(semantics, axis=axes)))
    return float(np.mean(products)) / (count * (count - 1)) / variance if variance else math.nan


def _with_noise(
    method: SymmFlow, key: jax.Array, drawn: TrainingDraw, batch: Batch, number: int
) -> TrainingDraw:
    """The draw at t = 1 with other noise for the semantics."""
    reading_key = jax.random.fold_in(keys.stream(key, Stream.RECOGNITION), number)
    noise_keys = keys.example_keys(reading_key, batch.example_index)
    noise = keys.normal(noise_keys, method.codec.shapes.semantics)
    one = jnp.ones(len(batch.labels))
    times = TrainingTimes(JointState(one, one), JointState(one, one))
    return TrainingDraw(drawn.data, drawn.noise._replace(semantics=noise), times)


def _of_one_clock(method: SymmFlow) -> SymmFlow:
    """The method with one time for both components, as published networks have it."""
    return dataclasses.replace(
        method, time_sampling=TimeSampling(), holds_clean=False, has_span=False
    )


@functools.partial(jax.jit, static_argnames=("method",))
def _draw(
    method: SymmFlow,
    weights: Weights,
    key: jax.Array,
    example_index: jax.Array,
    image: Images,
    labels: jax.Array,
) -> TrainingDraw:
    example_keys = keys.example_keys(keys.stream(key, Stream.OBJECTIVE), example_index)
    return method.draw(method.in_compute_dtype(weights), example_keys, image, labels)


@functools.partial(jax.jit, static_argnames=("method", "loss_weights"))
def _losses(
    method: SymmFlow,
    weights: Weights,
    drawn: TrainingDraw,
    labels: jax.Array,
    loss_weights: JointState,
) -> Losses:
    """The loss of each example of a draw, float32 `[batch]`."""
    return method.losses_of(method.in_compute_dtype(weights), drawn, labels, loss_weights)


@functools.partial(jax.jit, static_argnames=("method",))
def _residual(method: SymmFlow, weights: Weights, drawn: TrainingDraw) -> jax.Array:
    """The error of the velocity of semantics, float32 `[batch, ...]`."""
    times = drawn.times.times
    points = map_components(
        lambda path, *arguments: path.interpolate(*arguments),
        method.paths,
        drawn.data,
        drawn.noise,
        times,
    )
    target = method.paths.semantics.velocity(
        drawn.data.semantics, drawn.noise.semantics, times.semantics
    )
    velocities = method.velocity(method.in_compute_dtype(weights))(points, times)
    return target - velocities.semantics


_LARGEST_IMAGE_SHARE = 1.0
_LARGEST_SEMANTICS_SHARE = 0.9
_NUM_READINGS = 4
"""Readings of each image, from independent noise."""
_LARGEST_READING_ERROR = 1.5
"""Bound of the error of readings, in variances. The mean of the data has 1, and readings of other
colours have 2 if they are sure and unrelated to the true ones; 4.8 if all colours of drawn scenes
are exchanged. Scenes in their own colours have 0.6, but labels that are hardly learned up to 1.4.
"""
_MIN_ERRORS = 3.0
"""Standard errors by which another setting must be better."""
_MIN_GAIN = 0.01
"""Share of the loss by which another setting must be better."""
