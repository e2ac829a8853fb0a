"""Compiled inference: labels of images and images of labels, batch by batch."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from symmflow_jax import images, keys
from symmflow_jax.flow.objective import Losses
from symmflow_jax.flow.solvers import Solve
from symmflow_jax.flow.votes import vote
from symmflow_jax.symmflow import SymmFlow, Weights


class Recognition(NamedTuple):
    """What was recognised in a batch of images.

    Attributes:
        labels: int32 `[batch, height, width]` or `[batch]`: the vote of the draws.
        entropy: float32, shaped as the labels: entropy of the vote, in nats.
        signal: float32 continuous semantics of the first draw.
        nfe: int32 `[batch]`, network passes for each image over all draws.
    """

    labels: jax.Array
    entropy: jax.Array
    signal: jax.Array
    nfe: jax.Array


class Generation(NamedTuple):
    """Generated images and what they cost.

    Attributes:
        images: uint8 `[batch, height, width, channels]`, or float32 points `[batch, n]`.
        nfe: int32 `[batch]`, network passes for each image.
    """

    images: jax.Array
    nfe: jax.Array


@functools.partial(jax.jit, static_argnames=("flow", "solve", "num_draws"))
def recognize(
    flow: SymmFlow,
    weights: Weights,
    key: jax.Array,
    positions: jax.Array,
    pixels: jax.Array,
    solve: Solve,
    num_draws: int = 1,
) -> Recognition:
    """Labels of images.

    Args:
        flow: the method.
        weights: of its network and codec.
        key: origin of the noise.
        positions: int `[batch]`; an image's noise depends on the key and its position alone.
        pixels: uint8 `[batch, height, width, channels]`, or float points.
        solve: the solver.
        num_draws: noises for each image.
    """

    def draw(index: jax.Array):
        noise_keys = keys.example_keys(jax.random.fold_in(key, index), positions)
        solution = flow.recognize(weights, noise_keys, pixels, solve)
        signal = flow.codec.decode_semantics(weights.codec, solution.state.semantics)
        return flow.codec.encoding.decode(signal), signal, solution.nfe

    labels, signals, nfe = jax.lax.map(draw, jnp.arange(num_draws))
    outcome = vote(labels)
    return Recognition(outcome.labels, outcome.entropy, signals[0], jnp.sum(nfe, axis=0))


@functools.partial(jax.jit, static_argnames=("flow", "solve"))
def generate(
    flow: SymmFlow,
    weights: Weights,
    key: jax.Array,
    positions: jax.Array,
    labels: jax.Array,
    solve: Solve,
) -> Generation:
    """Images of labels; the arguments are as in `recognize`, and the labels as it gives them."""
    solution = flow.generate(weights, keys.example_keys(key, positions), labels, solve)
    signal = flow.codec.decode_image(weights.codec, solution.state.image)
    return Generation(images.to_pixels(signal) if signal.ndim == 4 else signal, solution.nfe)


@functools.partial(jax.jit, static_argnames=("flow", "image_weight"))
def losses(
    flow: SymmFlow,
    weights: Weights,
    key: jax.Array,
    positions: jax.Array,
    pixels: jax.Array,
    labels: jax.Array,
    image_weight: float,
) -> Losses:
    """The objective of each example, without dropout."""
    example_keys = keys.example_keys(key, positions)
    return flow.losses(weights, example_keys, pixels, labels, image_weight)
