"""Compiled inference on one batch: semantics, images, samples, velocities, losses, likelihood."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec

from symmflow_jax.codecs import images
from symmflow_jax.data.batch import Images, Moments, Pixels, Points
from symmflow_jax.flow import clocks, keys, tasks
from symmflow_jax.flow.guidance import NO_GUIDANCE, Guidance
from symmflow_jax.flow.keys import Stream
from symmflow_jax.flow.likelihood import mean_of_draws
from symmflow_jax.flow.objectives.symmetric import Losses
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.flow.state import JointState
from symmflow_jax.inference.compiled.votes import vote
from symmflow_jax.methods import editing as editing_lib, likelihood
from symmflow_jax.methods.editing import FROM_PHOTO, Editing
from symmflow_jax.methods.likelihood import Density
from symmflow_jax.methods.symmflow import Sampled, SymmFlow
from symmflow_jax.methods.weights import Weights
from symmflow_jax.semantics.encoding import ClassEncoding, ProbabilityEncoding

UNSURE = -1
"""Placeholder for a label whose confidence is too low."""


def check_min_confidence(bound: float) -> None:
    """Raises a ValueError unless a bound of the confidence lies in [0, 1]."""
    if not 0.0 <= bound <= 1.0:
        raise ValueError(f"min_confidence is {bound}; it must lie in [0, 1].")


class SemanticsPrediction(NamedTuple):
    """Predicted semantics of a batch of images. A draw is the prediction from one noise sample.

    Attributes:
        labels: int32 `[batch, height, width]` or `[batch]`: the majority vote of the draws, or
            the class of the highest mean probability.
        confidence: float32 in [0, 1], shaped as the labels: the confidence in these labels,
            averaged over the draws.
        entropy: float32, shaped as the labels: entropy in nats of the mean probabilities, or of
            the vote if the encoding gives no probabilities.
        probabilities: float32 `[..., classes]`, averaged over the draws; None if the encoding
            gives no probabilities.
        signal: float32 continuous semantics of the first draw, before decoding to labels.
        nfe: int32 `[batch]`, number of network passes for each image over all draws.
        distances: float32 `[batch, classes]`, distance from the code of each class, averaged over
            the draws; None if the encoding is not of one label with codes at distances.
        votes: int32 `[batch, draws, ...]`, the labels of each draw; None if the encoding gives
            probabilities.
    """

    labels: jax.Array
    confidence: jax.Array
    entropy: jax.Array
    probabilities: jax.Array | None
    signal: jax.Array
    nfe: jax.Array
    distances: jax.Array | None = None
    votes: jax.Array | None = None

    def answers(self, min_confidence: float) -> np.ndarray:
        """The labels, with `UNSURE` where the confidence is below a bound.

        Args:
            min_confidence: the bound, in [0, 1].

        Raises:
            ValueError: if the bound is out of its range.
        """
        return answers(self.labels, self.confidence, min_confidence)


def answers(labels: Any, confidence: Any, min_confidence: float) -> np.ndarray:
    """Labels, with `UNSURE` where the confidence is below a bound.

    Args:
        labels: int `[...]`.
        confidence: float `[...]` in [0, 1].
        min_confidence: the bound, in [0, 1].

    Raises:
        ValueError: if the bound is out of its range.
    """
    check_min_confidence(min_confidence)
    return np.where(np.asarray(confidence) < min_confidence, UNSURE, labels)


class Generation(NamedTuple):
    """Generated images and their number of network passes.

    Attributes:
        images: uint8 `[batch, height, width, channels]`, or float32 points `[batch, n]`; float32
            signals if they were requested.
        nfe: int32 `[batch]`, number of network passes for each image.
    """

    images: jax.Array
    nfe: jax.Array


class Inversion(NamedTuple):
    """The noise of images, and what comes back from it.

    Attributes:
        noise: float32 `[batch, ...]`, shaped as the image component.
        images: as in `Generation`.
        nfe: int32 `[batch]`, number of network passes for each image, there and back.
    """

    noise: jax.Array
    images: jax.Array
    nfe: jax.Array


class Likelihood(NamedTuple):
    """Log densities of a batch.

    Attributes:
        nats: float32 `[batch]`, the log of the mean density over the draws.
        nfe: int32 `[batch]`, evaluations of the velocity for each example over all draws.
    """

    nats: jax.Array
    nfe: jax.Array


class Sample(NamedTuple):
    """Samples from noise alone; an attribute that was not requested is None.

    Attributes:
        images: as in `Generation`.
        labels: int32 `[batch, height, width]` or `[batch]`.
    """

    images: jax.Array | None
    labels: jax.Array | None


_PER_EXAMPLE = ("example_index", "image", "labels", "source_labels", "keep")
"""Arguments of the functions below that have a batch axis, `[batch, ...]`."""


def _on_every_device(function: Callable) -> Callable:
    """Wraps a function of a method, weights and a batch: every device runs its part of the batch.

    Sharded weights are gathered first. Without this wrapper, the compiler would split the network
    by channels.
    """

    @functools.wraps(function)
    def shared(method: SymmFlow, weights: Weights, key: jax.Array, *arguments: Any, **named: Any):
        given = (
            inspect.signature(function).bind(method, weights, key, *arguments, **named).arguments
        )
        batch = {name: given[name] for name in _PER_EXAMPLE if name in given}

        def on_one_device(weights: Weights, key: jax.Array, batch: dict[str, jax.Array]):
            return function(**given | batch | {"weights": weights, "key": key})

        weights = method.in_compute_dtype(weights)
        mesh = jax.typeof(batch["example_index"]).sharding.mesh
        if mesh.empty:
            return on_one_device(weights, key, batch)
        whole, split = PartitionSpec(), PartitionSpec(mesh.axis_names)
        in_specs = (whole, split if key.ndim else whole, split)
        run = jax.shard_map(
            on_one_device, mesh=mesh, in_specs=in_specs, out_specs=split, check_vma=False
        )
        return run(weights, key, batch)

    return shared


@functools.partial(jax.jit, static_argnames=("method", "solve", "ensemble_size", "clip"))
@_on_every_device
def predict_semantics(
    method: SymmFlow,
    weights: Weights,
    key: jax.Array,
    example_index: jax.Array,
    image: Images,
    solve: Solve,
    ensemble_size: int = 1,
    clip: bool = False,
) -> SemanticsPrediction:
    """Predicts semantics of images.

    Args:
        method: the method.
        weights: weights of its network and codec.
        key: origin of the noise; other kinds of prediction derive other noise from it. Either one
            for all images, or one for each, `[batch]`.
        example_index: int `[batch]`; an image's noise depends only on the key and its index.
        image: the images as `Pixels`, `Signals`, `Points` or `Moments`.
        solve: the solver.
        ensemble_size: number of noise samples for each image.
        clip: clip the continuous semantics to [-1, 1] before they are decoded.
    """

    encoding = method.codec.encoding
    draws_key = keys.stream(key, Stream.RECOGNITION)

    def draw(index: jax.Array):
        noise_keys = keys.example_keys(keys.fold_in(draws_key, index), example_index)
        solution = method.predict_semantics(weights, noise_keys, image, solve)
        signal = method.codec.decode_semantics(weights.codec, solution.state.semantics)
        return jnp.clip(signal, -1.0, 1.0) if clip else signal, solution.nfe

    signals, nfe = jax.lax.map(draw, jnp.arange(ensemble_size))
    if isinstance(encoding, ProbabilityEncoding):
        probabilities = jnp.mean(encoding.probabilities(signals), axis=0)
        labels = jnp.argmax(probabilities, axis=-1).astype(jnp.int32)
        entropy = -jnp.sum(jax.scipy.special.xlogy(probabilities, probabilities), axis=-1)
        votes = None
    else:
        probabilities = None
        votes = jax.lax.map(encoding.decode, signals)
        labels, entropy = vote(votes)
        votes = jnp.moveaxis(votes, 0, 1)
    confidence = jnp.mean(
        jax.lax.map(lambda signal: encoding.confidence(signal, labels), signals), axis=0
    )
    distances = None
    if isinstance(encoding, ClassEncoding):
        distances = jnp.mean(jax.lax.map(encoding.distances, signals), axis=0)
    return SemanticsPrediction(
        *(labels, confidence, entropy, probabilities, signals[0], jnp.sum(nfe, axis=0)),
        distances,
        votes,
    )


@functools.partial(jax.jit, static_argnames=("method", "solve", "guidance", "as_signals"))
@_on_every_device
def generate(
    method: SymmFlow,
    weights: Weights,
    key: jax.Array,
    example_index: jax.Array,
    labels: jax.Array,
    solve: Solve,
    guidance: Guidance = NO_GUIDANCE,
    as_signals: bool = False,
) -> Generation:
    """Generates images from labels.

    Args:
        method, weights, key, example_index, solve: as in `predict_semantics`.
        labels: int `[batch, height, width]` or `[batch]`.
        guidance: classifier-free guidance towards the labels; none by default.
        as_signals: whether images stay signals in about [-1, 1], neither clipped nor in 8 bits.

    Raises:
        ValueError: if the guidance has a weight but the network has one clock.
    """
    example_keys = keys.example_keys(keys.stream(key, Stream.GENERATION), example_index)
    solution = method.generate(weights, example_keys, labels, solve, guidance)
    if as_signals:
        return Generation(
            method.codec.decode_image(weights.codec, solution.state.image), solution.nfe
        )
    return Generation(_images(method, weights, solution.state.image), solution.nfe)


@functools.partial(jax.jit, static_argnames=("method", "solve", "what"))
@_on_every_device
def sample(
    method: SymmFlow,
    weights: Weights,
    key: jax.Array,
    example_index: jax.Array,
    solve: Solve,
    what: Sampled,
) -> Sample:
    """Generates images, labels or pairs of both from noise alone.

    Args:
        method, weights, key, example_index, solve: as in `predict_semantics`.
        what: the requested components.

    Raises:
        ValueError: if the network has one clock.
    """
    example_keys = keys.example_keys(keys.stream(key, Stream.SAMPLING), example_index)
    state = method.sample(weights, example_keys, solve, what).state
    made_images = made_labels = None
    if what is not Sampled.SEMANTICS:
        made_images = _images(method, weights, state.image)
    if what is not Sampled.IMAGES:
        signal = method.codec.decode_semantics(weights.codec, state.semantics)
        made_labels = method.codec.encoding.decode(signal)
    return Sample(made_images, made_labels)


@functools.partial(jax.jit, static_argnames=("method", "solve", "editing"))
@_on_every_device
def edit(
    method: SymmFlow,
    weights: Weights,
    key: jax.Array,
    example_index: jax.Array,
    image: Images,
    labels: jax.Array,
    source_labels: jax.Array | None,
    keep: jax.Array | None,
    solve: Solve,
    editing: Editing = FROM_PHOTO,
) -> Generation:
    """Edits images towards new labels; see `methods.editing`.

    Args:
        method, weights, key, example_index, image, solve: as in `predict_semantics`; but images
            are no `Moments`, because what is kept of them is kept in pixels.
        labels: the new labels, int `[batch, height, width]` or `[batch]`.
        source_labels: the old labels, or None for none at all.
        keep: bool `[batch, height, width]`, or `[batch, n]` of points: what comes back exactly as
            it went in. None keeps nothing.
        editing: how to edit.

    Raises:
        TypeError: if the images are moments of latents.
        ValueError: if the network has one clock, or the solver cannot do it.
    """
    if isinstance(image, Moments):
        raise TypeError("An edit is of pixels, signals or points, not of moments of latents.")
    example_keys = keys.example_keys(keys.stream(key, Stream.EDITING), example_index)
    solution = editing_lib.edit(
        method, weights, example_keys, image, labels, source_labels, keep, solve, editing
    )
    made = _images(method, weights, solution.state)
    if keep is not None:
        is_kept = keep if keep.ndim == made.ndim else keep[..., None]
        is_given = isinstance(image, Pixels | Points)
        given = image.values if is_given else images.to_pixels(image.values)
        made = jnp.where(is_kept, given, made)
    return Generation(made, solution.nfe)


@functools.partial(jax.jit, static_argnames=("method", "solve"))
@_on_every_device
def invert_and_return(
    method: SymmFlow,
    weights: Weights,
    key: jax.Array,
    example_index: jax.Array,
    image: Images,
    labels: jax.Array,
    solve: Solve,
) -> Inversion:
    """The noise of images beside their labels, and the images that the flow makes of it again.

    Args:
        method, weights, key, example_index, image, solve: as in `predict_semantics`.
        labels: their labels, int `[batch, height, width]` or `[batch]`.

    Raises:
        ValueError: if the network has one clock, or the solver jumps.
    """
    example_keys = keys.example_keys(keys.stream(key, Stream.EDITING), example_index)
    inverted = editing_lib.invert(method, weights, example_keys, image, labels, solve)
    velocity = method.velocity(weights)
    back = tasks.sample(velocity, inverted.state, solve, clocks.clean_semantics, 0.0, 1.0)
    made = _images(method, weights, back.state.image)
    return Inversion(inverted.state.image, made, inverted.nfe + back.nfe)


@functools.partial(jax.jit, static_argnames="method")
def velocity(
    method: SymmFlow, weights: Weights, state: JointState, times: JointState
) -> JointState:
    """Velocities of both components at one state and its times.

    Args:
        method, weights: as in `predict_semantics`.
        state: image and semantics, float `[batch, ...]`.
        times: a time in [0, 1] for each component, float, scalar or `[batch]`.
    """
    return method.velocity(weights)(state, times)


def _images(method: SymmFlow, weights: Weights, image: jax.Array) -> jax.Array:
    """Decodes image components to uint8 images, or to float32 points."""
    signal = method.codec.decode_image(weights.codec, image)
    return images.to_pixels(signal) if signal.ndim == 4 else signal


@functools.partial(jax.jit, static_argnames=("method", "loss_weights"))
@_on_every_device
def losses(
    method: SymmFlow,
    weights: Weights,
    key: jax.Array,
    example_index: jax.Array,
    image: Images,
    labels: jax.Array,
    loss_weights: JointState,
) -> Losses:
    """The loss of the flow of each example, float32 `[batch]`, without dropout.

    That of a flow map too is the loss of its velocities, which is comparable between runs.

    Args:
        method, weights, key, example_index, image: as in `predict_semantics`.
        labels: int `[batch, height, width]` or `[batch]`.
        loss_weights: weight of each component's loss.
    """
    example_keys = keys.example_keys(keys.stream(key, Stream.OBJECTIVE), example_index)
    method = method.of_velocities
    return method.losses(weights, example_keys, image, labels, loss_weights)


@functools.partial(jax.jit, static_argnames=("method", "solve", "of", "num_draws", "num_probes"))
@_on_every_device
def log_likelihood(
    method: SymmFlow,
    weights: Weights,
    key: jax.Array,
    example_index: jax.Array,
    image: Images,
    labels: jax.Array,
    solve: Solve,
    of: Density,
    num_draws: int = 1,
    num_probes: int = 1,
) -> Likelihood:
    """The log density of images or of semantics in nats; see `methods.likelihood`.

    Args:
        method, weights, key, example_index: as in `predict_semantics`.
        image: the images as `Pixels` or `Points`.
        labels: int `[batch, height, width]` or `[batch]`.
        solve: the solver.
        of: which density.
        num_draws: number of noise samples for each example, whose mean density counts.
        num_probes: probes of the divergence where it is estimated, the same for all draws.

    Raises:
        ValueError: if the method has no such density.
    """
    divergence = likelihood.divergence_of(method, of, num_probes)
    probe_keys = keys.example_keys(keys.stream(key, Stream.PROBES), example_index)
    probes = likelihood.draw_probes(method, of, divergence, probe_keys)
    draws_key = keys.stream(key, Stream.LIKELIHOOD)

    def draw(index: jax.Array) -> tuple[jax.Array, jax.Array]:
        draw_keys = keys.example_keys(jax.random.fold_in(draws_key, index), example_index)
        found = likelihood.log_density(
            method, weights, draw_keys, probes, image, labels, solve, of, divergence
        )
        return found.nats, found.nfe

    nats, nfe = jax.lax.map(draw, jnp.arange(num_draws))
    return Likelihood(mean_of_draws(nats), jnp.sum(nfe, axis=0))
