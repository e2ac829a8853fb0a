"""Predictions and images for any number of examples, by batches of one size.

One compilation serves all numbers. An example's noise depends on the key and its index alone, so
the size of the batches changes no result beyond rounding.
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from symmflow_jax.data.batch import Pixels, Points
from symmflow_jax.flow.guidance import NO_GUIDANCE, Guidance
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference.canvas.reading import BATCH_SIZE
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.inference.compiled.predictions import SemanticsPrediction
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.methods.weights import Weights


def predict_each(
    method: SymmFlow,
    weights: Weights,
    examples: Iterable[np.ndarray],
    key: jax.Array,
    solve: Solve,
    ensemble_size: int = 1,
    batch_size: int = BATCH_SIZE,
) -> Iterator[SemanticsPrediction]:
    """Predicts the semantics of images or points one after the other.

    Args:
        method: the method.
        weights: its weights.
        examples: uint8 images `[height, width, channels]` in the size of the model, or float
            points `[n]`; read as they are needed.
        key: origin of the noise; example i has that of index i, as in `predict_semantics`.
        solve: the solver.
        ensemble_size: number of noise samples for each example.
        batch_size: examples that are predicted at once.

    Yields:
        the prediction of each example, as NumPy arrays without the batch axis.
    """
    for start, count, values in _full_batches(examples, batch_size):
        images = Pixels(values) if values.ndim == 4 else Points(values)
        result = predictions.predict_semantics(
            method, weights, key, start + jnp.arange(batch_size), images, solve, ensemble_size
        )
        result = jax.device_get(result)
        for i in range(count):
            yield jax.tree.map(lambda array, i=i: array[i], result)


def generate_each(
    method: SymmFlow,
    weights: Weights,
    labels: Iterable[np.ndarray],
    key: jax.Array,
    solve: Solve,
    guidance: Guidance = NO_GUIDANCE,
    batch_size: int = BATCH_SIZE,
) -> Iterator[np.ndarray]:
    """Generates images or points from masks or labels, one after the other.

    Args:
        method, weights, key, solve, batch_size: as in `predict_each`.
        labels: int32 masks `[height, width]` in the size of the model, or scalar labels.
        guidance: classifier-free guidance.

    Yields:
        uint8 `[height, width, channels]`, or float32 `[n]`.
    """
    for start, count, values in _full_batches(labels, batch_size):
        made = predictions.generate(
            method, weights, key, start + jnp.arange(batch_size), values, solve, guidance
        )
        yield from np.asarray(made.images)[:count]


def _full_batches(values: Iterable[Any], batch_size: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """The index of a batch's first value, the number of values that count, and the batch.

    The first value of a batch that is not full fills it.
    """
    remaining, start = iter(values), 0
    while batch := list(itertools.islice(remaining, batch_size)):
        yield start, len(batch), np.stack(batch + batch[:1] * (batch_size - len(batch)))
        start += len(batch)
