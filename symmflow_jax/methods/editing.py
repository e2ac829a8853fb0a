"""Edits of images by a symmetric flow: new semantics for an image, and regions made anew."""

import dataclasses
import enum

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from symmflow_jax.data.batch import Images
from symmflow_jax.flow import clocks, keys, tasks
from symmflow_jax.flow.clocks import Velocity
from symmflow_jax.flow.editing import known
from symmflow_jax.flow.editing.flow_edit import ImageVelocity, flow_edit
from symmflow_jax.flow.editing.known import Filling, Known, Langevin, Mask, Replacement
from symmflow_jax.flow.guidance import NO_GUIDANCE, Guidance
from symmflow_jax.flow.keys import Stream
from symmflow_jax.flow.moment import Moment
from symmflow_jax.flow.paths.path import ComponentPath
from symmflow_jax.flow.shapes import (
    Component,
    ExampleKeys,
    Image,
    Labels,
    Scalar,
    Semantics,
)
from symmflow_jax.flow.solvers.solver import Solution, Solve, keep_state
from symmflow_jax.flow.state import JointState
from symmflow_jax.methods import requirements
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.methods.weights import Weights

Region = Bool[Array, "batch *pixels"]
"""What to keep of each image, `[batch, height, width]`, or of each point, `[batch, n]`."""


class Origin(enum.Enum):
    """Where an edited image comes from."""

    PHOTO = "photo"
    """From the photo itself, by FlowEdit: what need not change stays."""

    NOISE = "noise"
    """From noise, beside the kept part of the photo: the rest is made anew."""

    INVERSION = "inversion"
    """From the noise that the flow leads the photo to: it keeps some of its look."""


@dataclasses.dataclass(frozen=True)
class Editing:
    """How to edit; a static argument.

    Attributes:
        origin: where the edited image comes from.
        start: image time in [0, 1) at which FlowEdit begins; a later one moves less.
        num_noises: draws of noise in each step of FlowEdit.
        filling: how a region that is made from noise is made to agree with the kept part.
        guidance: classifier-free guidance towards the new semantics. It costs fidelity.

    Raises:
        ValueError: if a value is out of its range.
    """

    origin: Origin = Origin.PHOTO
    start: float = 0.0
    num_noises: int = 1
    filling: Filling = Langevin()
    guidance: Guidance = NO_GUIDANCE

    def __post_init__(self):
        if not 0.0 <= self.start < 1.0:
            raise ValueError(
                f"An edit starts at the time {self.start:g}; it must lie in [0, 1), where 0 is "
                "noise and 1 is the photo."
            )
        if self.start and self.origin is not Origin.PHOTO:
            raise ValueError(
                f"A start at {self.start:g} is for edits from the photo; from {self.origin.value}, "
                "leave it out."
            )
        if self.num_noises < 1:
            raise ValueError(f"num_noises is {self.num_noises}; an edit draws at least one.")


FROM_PHOTO = Editing()
"""FlowEdit from the photo, along the whole path."""


def check(method: SymmFlow, solve: Solve) -> None:
    """Checks that a method can edit with a solver.

    Raises:
        ValueError: if its network has one clock, or knows images alone; or if the solver jumps.
    """
    requirements.require_two_clocks(method, "Editing")
    if method.is_unconditional:
        raise ValueError(
            "This network was trained on images alone (config.train.clock='unconditional'), so "
            "there are no semantics to edit by; train with 'mixed' or 'independent'."
        )
    if solve.takes_spans:
        raise ValueError(
            "The solver 'flow_map' jumps from noise to an image, where an edit follows the "
            "velocity in steps; choose another solver, such as 'euler'."
        )


def edit(
    method: SymmFlow,
    weights: Weights,
    example_keys: ExampleKeys,
    image: Images,
    labels: Labels,
    source_labels: Labels | None,
    keep: Region | None,
    solve: Solve,
    editing: Editing = FROM_PHOTO,
) -> Solution:
    """Edited images, whose state is the image component alone; the codec decodes it.

    Args:
        method: the method; see `check` for what it must be.
        weights: weights of its network and codec.
        example_keys: keys `[batch]`.
        image: the images to edit.
        labels: their new semantics, int `[batch, height, width]` or `[batch]`.
        source_labels: their old semantics, or None for those of pure noise, which tell nothing.
        keep: what to keep of the images; None keeps nothing. Latents are kept where all pixels
            below them are, so that pixels near the border of the region may change a little.
        solve: the solver; only inversion, and only without `keep`, takes an adaptive one.
        editing: how to edit.

    Raises:
        ValueError: see `check`; or if an adaptive solver cannot do it.
    """
    check(method, solve)
    if editing.guidance.passes > 1:
        known.fixed_steps(solve, "Guidance keeps a noise for each sample, in the steps")
    image_keys = keys.stream(example_keys, Stream.IMAGE_ENCODING)
    clean = method.codec.encode_image(weights.codec, image_keys, image, train=False)
    semantics_keys = keys.stream(example_keys, Stream.SEMANTICS_ENCODING)
    target, source = _codes(method, weights, semantics_keys, labels, source_labels)
    blind_keys = keys.stream(example_keys, Stream.UNCONDITIONAL_NOISE)
    blind = keys.normal(blind_keys, method.codec.shapes.semantics)
    velocity = method.velocity(weights)
    guided = velocity if editing.guidance == NO_GUIDANCE else editing.guidance(velocity, blind)
    where = None if keep is None else in_flow(keep, clean.shape)
    make = _MAKERS[editing.origin]
    parts = _Parts(
        method, example_keys, clean, target, source, blind, velocity, guided, where, solve, editing
    )
    solution = make(parts)
    if where is None:
        return solution
    return solution._replace(state=jnp.where(where, clean, solution.state))


def invert(
    method: SymmFlow,
    weights: Weights,
    example_keys: ExampleKeys,
    image: Images,
    labels: Labels,
    solve: Solve,
) -> Solution:
    """The noise that the flow leads images to beside their semantics: read `state.image`.

    Args:
        method, weights, example_keys, image, labels, solve: as in `edit`.

    Raises:
        ValueError: see `check`.
    """
    check(method, solve)
    image_keys = keys.stream(example_keys, Stream.IMAGE_ENCODING)
    clean = method.codec.encode_image(weights.codec, image_keys, image, train=False)
    semantics_keys = keys.stream(example_keys, Stream.SEMANTICS_ENCODING)
    semantics = method.codec.encode_semantics(weights.codec, semantics_keys, labels)
    state = JointState(clean, semantics)
    return tasks.sample(method.velocity(weights), state, solve, clocks.clean_semantics, 1.0, 0.0)


def in_flow(keep: Region, shape: tuple[int, ...]) -> Mask:
    """What to keep of an image in the flow.

    Args:
        keep: bool `[batch, height, width]` in pixels, or `[batch, n]` of points.
        shape: shape of the images in the flow. A latent is kept if all pixels below it are.
    """
    if keep.ndim == 2:
        return keep
    height, width = shape[1:3]
    rows, columns = keep.shape[1] // height, keep.shape[2] // width
    cells = jnp.reshape(keep, (keep.shape[0], height, rows, width, columns))
    return jnp.all(cells, axis=(2, 4))[..., None]


def _codes(
    method: SymmFlow,
    weights: Weights,
    semantics_keys: ExampleKeys,
    labels: Labels,
    source_labels: Labels | None,
) -> tuple[Semantics, Semantics | None]:
    """The codes of the new and the old semantics, with one noise: equal classes, equal codes."""

    def encode(labels: Labels) -> Semantics:
        return method.codec.encode_semantics(weights.codec, semantics_keys, labels)

    if source_labels is None:
        return encode(labels), None
    codes = jax.vmap(encode)(jnp.stack([labels, source_labels]))
    return codes[0], codes[1]


@dataclasses.dataclass(frozen=True)
class _Parts:
    """What an edit is made of."""

    method: SymmFlow
    example_keys: ExampleKeys
    clean: Image
    target: Semantics
    source: Semantics | None
    blind: Semantics
    velocity: Velocity
    guided: Velocity
    where: Mask | None
    solve: Solve
    editing: Editing

    @property
    def to_target(self) -> ImageVelocity:
        """The velocity of an image beside the new semantics."""
        return _of_image(self.guided, self.target, clocks.clean_semantics)

    @property
    def to_source(self) -> ImageVelocity:
        """The velocity of an image beside the old semantics, or none."""
        if self.source is None:
            return _of_image(self.velocity, self.blind, clocks.noise_semantics)
        return _of_image(self.velocity, self.source, clocks.clean_semantics)

    @property
    def noise_keys(self) -> ExampleKeys:
        """Parents of the keys of the noise of all steps."""
        return keys.stream(self.example_keys, Stream.EDITING_NOISE)

    @property
    def path(self) -> ComponentPath:
        """The path of the image."""
        return self.method.paths.image

    def known(self, where: Mask, noise: Component) -> Known:
        """The kept part, with the noise at the start of its path."""
        return Known(where, self.clean, noise, self.path)

    @property
    def target_passes(self) -> int:
        """Network passes for each velocity beside the new semantics."""
        return self.editing.guidance.passes


def _of_image(velocity: Velocity, semantics: Component, clock: clocks.Clock) -> ImageVelocity:
    """The velocity of the image beside semantics that do not move."""

    def of_image(image: Component, t: Scalar) -> Component:
        return velocity(JointState(image, semantics), clock(t)).image

    return of_image


def _from_photo(parts: _Parts) -> Solution:
    editing, clean = parts.editing, parts.clean
    motion = flow_edit(
        parts.to_target, parts.to_source, parts.path, clean, parts.noise_keys, editing.num_noises
    )
    after = keep_state if parts.where is None else known.keep(parts.where, clean)
    solution = parts.solve(motion, clean, editing.start, 1.0, after)
    return solution._replace(nfe=editing.num_noises * (parts.target_passes + 1) * solution.nfe)


def _from_noise(parts: _Parts) -> Solution:
    noise_keys = keys.stream(parts.example_keys, Stream.IMAGE_NOISE)
    noise = keys.normal(noise_keys, parts.method.codec.shapes.image)
    if parts.where is None:
        return _along_target(parts, noise)
    return _beside_known(parts, noise, parts.editing.filling, parts.known(parts.where, noise))


def _by_inversion(parts: _Parts) -> Solution:
    has_source = parts.source is not None
    beside = parts.source if has_source else parts.blind
    clock = clocks.clean_semantics if has_source else clocks.noise_semantics
    state = JointState(parts.clean, beside)
    inverted = tasks.sample(parts.velocity, state, parts.solve, clock, 1.0, 0.0)
    noise = inverted.state.image
    if parts.where is None:
        made = _along_target(parts, noise)
    else:
        made = _beside_known(parts, noise, Replacement(), parts.known(parts.where, noise))
    return made._replace(nfe=made.nfe + inverted.nfe)


def _along_target(parts: _Parts, noise: Component) -> Solution:
    """From noise to an image of the new semantics, which keeps nothing."""
    state = JointState(noise, parts.target)
    clock = clocks.clean_semantics
    solution = tasks.sample(parts.guided, state, parts.solve, clock, 0.0, 1.0)
    return Solution(solution.state.image, parts.target_passes * solution.nfe)


def _beside_known(parts: _Parts, noise: Component, filling: Filling, part: Known) -> Solution:
    """From noise to an image of the new semantics, beside a known part."""
    velocity, solve = parts.to_target, parts.solve
    hook = filling.hook(velocity, part, parts.noise_keys, solve)

    def dynamics(image: Component, moment: Moment) -> Component:
        return velocity(image, moment.s)

    solution = solve(dynamics, noise, 0.0, 1.0, hook)
    return solution._replace(nfe=parts.target_passes * (solution.nfe + filling.passes(solve)))


_MAKERS = {
    Origin.PHOTO: _from_photo,
    Origin.NOISE: _from_noise,
    Origin.INVERSION: _by_inversion,
}
