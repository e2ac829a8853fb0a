"""Log densities of images and of semantics under a symmetric flow."""

import enum
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from symmflow_jax.codecs import images as images_lib
from symmflow_jax.data.batch import Images, Pixels, Points
from symmflow_jax.flow import clocks, keys, likelihood
from symmflow_jax.flow.clocks import Clock
from symmflow_jax.flow.keys import Stream
from symmflow_jax.flow.likelihood import Divergence, LogDensity
from symmflow_jax.flow.shapes import Component, ExampleKeys, Labels
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.flow.state import JointState
from symmflow_jax.methods import requirements
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.methods.weights import Weights

TIED = (
    "A likelihood needs a network with a clock for each component. With config.train.clock='tied' "
    "image and semantics change together, so that no density of the image alone is defined: train "
    "with 'independent', 'mixed' or 'unconditional', or set config.eval.likelihood_examples=0."
)
"""Why a network of one clock has no likelihood."""

LATENTS = (
    "A flow of latents has no likelihood of images, because the decoder of an autoencoder has "
    "none: set config.eval.likelihood_examples=0, or clear config.autoencoder.weights for a flow "
    "of pixels."
)
"""Why a flow of latents has no likelihood."""


class _Edge(NamedTuple):
    """An edge of the unit square of times, from data at `start` to noise at `end`."""

    clock: Clock
    clock_name: str
    start: float
    end: float
    of_image: bool


class Density(enum.Enum):
    """What a log density is of, with the edge of the times that it is integrated along."""

    IMAGE_GIVEN_SEMANTICS = _Edge(clocks.clean_semantics, "clean", 1.0, 0.0, True)
    IMAGE = _Edge(clocks.noise_semantics, "noise", 1.0, 0.0, True)
    SEMANTICS = _Edge(clocks.noise_image, "noise", 0.0, 1.0, False)


def check(method: SymmFlow, of: Density) -> None:
    """Checks that a method has a density.

    Raises:
        ValueError: if the network has one clock, or has not learned along the edge of the density;
            if the flow moves latents; or if the codes of the semantics bear no noise.
    """
    if method.time_sampling.num_clocks == 1:
        raise ValueError(TIED)
    if method.codec.bin_widths is None:
        raise ValueError(LATENTS)
    requirements.require_images(method)
    if of is not Density.IMAGE_GIVEN_SEMANTICS:
        requirements.require_noise_semantics(method, "This likelihood")
    if of is Density.SEMANTICS and not semantics_have_density(method):
        raise ValueError(
            "These semantics have no density, because their codes bear no noise; choose another "
            "config.semantics.encoding with config.semantics.dequantization_beta above 0."
        )


def semantics_have_density(method: SymmFlow) -> bool:
    """Tells if noise spreads the codes of the semantics, so that they have a density."""
    widths = method.codec.bin_widths
    return widths is not None and widths.semantics > 0


def log_density(
    method: SymmFlow,
    weights: Weights,
    example_keys: ExampleKeys,
    probes: Any,
    image: Images,
    labels: Labels,
    solve: Solve,
    of: Density,
    divergence: Divergence,
) -> LogDensity:
    """The log density of one draw of each example.

    Pixels and codes are dequantised: uniform noise spreads each value over a bin. The mean density
    over this noise, times the volume of the bin, is the probability of the discrete data (Theis et
    al. 2016, arXiv 1511.01844).

    Args:
        method: the method; see `check` for what it must be.
        weights: weights of its network.
        example_keys: keys `[batch]` of the noise of this draw.
        probes: those of the divergence; see `draw_probes`. All draws of an example should have the
            same: in a mean over draws, errors of their own would weigh as probability.
        image: 8-bit images or points.
        labels: int `[batch, height, width]` or `[batch]`.
        solve: the solver.
        of: which density.
        divergence: the way to find the divergence.

    Raises:
        TypeError: if the images are neither pixels nor points.
        ValueError: see `check`.
    """
    check(method, of)
    shapes, codec, edge = method.codec.shapes, method.codec, of.value
    if of is Density.SEMANTICS:
        x = keys.normal(keys.stream(example_keys, Stream.IMAGE_NOISE), shapes.image)
    else:
        x = _dequantized(keys.stream(example_keys, Stream.IMAGE_ENCODING), image)
    if of is Density.IMAGE:
        y = keys.normal(keys.stream(example_keys, Stream.SEMANTICS_NOISE), shapes.semantics)
    else:
        semantics_keys = keys.stream(example_keys, Stream.SEMANTICS_ENCODING)
        y = codec.encode_semantics(weights.codec, semantics_keys, labels)
    return likelihood.log_density(
        method.velocity(weights),
        JointState(x, y),
        edge.clock,
        solve,
        edge.start,
        edge.end,
        divergence,
        probes,
        of_image=edge.of_image,
    )


def divergence_of(method: SymmFlow, of: Density, num_probes: int) -> Divergence:
    """The way to find the divergence: exact for few dimensions, else an estimate."""
    return likelihood.divergence_of(num_dimensions(method, of), num_probes)


def draw_probes(
    method: SymmFlow, of: Density, divergence: Divergence, example_keys: ExampleKeys
) -> Any:
    """The probes of the divergence of each example, from keys `[batch]`; see `Divergence`."""
    return divergence.probes(example_keys, _shape(method, of))


def num_dimensions(method: SymmFlow, of: Density) -> int:
    """Number of dimensions of a density."""
    return math.prod(_shape(method, of))


def bin_width(method: SymmFlow, of: Density) -> float:
    """Width, along each dimension, of the bin of a discrete value; 1 for points."""
    widths = method.codec.bin_widths
    assert widths is not None, "see check"
    return widths.image if of.value.of_image else widths.semantics


def _shape(method: SymmFlow, of: Density) -> tuple[int, ...]:
    shapes = method.codec.shapes
    return shapes.image if of.value.of_image else shapes.semantics


def _dequantized(image_keys: ExampleKeys, image: Images) -> Component:
    """Dequantised signals of 8-bit images, or the points themselves."""
    if isinstance(image, Pixels):
        return jax.vmap(images_lib.dequantize)(image_keys, images_lib.to_signal(image.values))
    if isinstance(image, Points):
        return jnp.asarray(image.values, jnp.float32)
    kind = type(image).__name__.lower()
    raise TypeError(f"A likelihood is of 8-bit pixels or of points, not of {kind}.")
