"""Symmetrical flow matching: one flow between images and semantics, bound to network and codec."""

import dataclasses
import enum
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from symmflow_jax.codecs.appearance import Appearance
from symmflow_jax.codecs.codec import Codec
from symmflow_jax.data.batch import Images
from symmflow_jax.flow import clocks, keys, tasks
from symmflow_jax.flow.clocks import Clock, Velocity
from symmflow_jax.flow.couplings.coupling import Coupling
from symmflow_jax.flow.couplings.independent import IndependentCoupling
from symmflow_jax.flow.guidance import NO_GUIDANCE, Guidance
from symmflow_jax.flow.keys import Stream
from symmflow_jax.flow.objectives.objective import Losses, Networks, Objective, Output
from symmflow_jax.flow.objectives.symmetric import SymmetricObjective, symmetric_loss
from symmflow_jax.flow.parameterizations.velocity import VelocityParameterization
from symmflow_jax.flow.paths.linear import LinearPath
from symmflow_jax.flow.paths.path import ComponentPath, Path
from symmflow_jax.flow.shapes import ExampleKeys, Labels, PerExample, Time
from symmflow_jax.flow.solvers.solver import Solution, Solve
from symmflow_jax.flow.state import JointState, map_components
from symmflow_jax.flow.tasks import StateHook
from symmflow_jax.flow.time_sampling import TimeSampling, TrainingTimes
from symmflow_jax.flow.windows import JointWindows
from symmflow_jax.methods import requirements
from symmflow_jax.methods.weights import Params, Weights, cast_matrices


def component_paths(image: Path, semantics: Path) -> JointState:
    """The paths of both components: the image ends in its data, the semantics begin with theirs."""
    return JointState(ComponentPath(image, True), ComponentPath(semantics, False))


class Sampled(enum.Enum):
    """The components to sample from noise alone: the clock, its first and its last s."""

    IMAGES = (clocks.noise_semantics, 0.0, 1.0)
    SEMANTICS = (clocks.noise_image, 1.0, 0.0)
    PAIRS = (clocks.opposed_clock, 0.0, 1.0)


class TrainingDraw(NamedTuple):
    """What the objective compares a network with.

    Attributes:
        data: clean image and semantics, float `[batch, ...]`.
        noise: standard normal arrays of the same shapes.
        times: the times, and the components that count.
    """

    data: JointState
    noise: JointState
    times: TrainingTimes


@dataclasses.dataclass(frozen=True)
class SymmFlow:
    """Pure functions of weights and keys; holds no arrays and can be a static argument.

    Every function takes one key for each example, so that an example's result depends on
    neither its batch nor the number of devices.

    Attributes:
        network: module of `(x_t, y_t, t) -> (image's output, semantics' output)`.
        codec: images and labels to the state of the flow and back.
        paths: the probability path of each component.
        coupling: the pairing of noise with data.
        parameterizations: the meaning of the network's output for each component.
        time_sampling: the distribution of the training times.
        holds_clean: whether inference holds the given component at its clean end. Otherwise the
            given component turns into noise, as in the paper. Needs a network of two clocks.
        objective: what training minimizes.
        has_span: whether the network also takes a span of time: it is a flow map of the image.
            Needs a network of two clocks.
        windows: the windows in which the network sees a canvas of the codec's size; None for one
            pass over all of it.
        appearance: how training changes images that are held clean; None for not at all.

    Raises:
        ValueError: if a clean component is held, or if there are spans, but the network has one
            clock.
    """

    network: nn.Module
    codec: Codec
    paths: JointState = component_paths(LinearPath(), LinearPath())
    coupling: Coupling = IndependentCoupling()
    parameterizations: JointState = JointState(
        VelocityParameterization(), VelocityParameterization()
    )
    time_sampling: TimeSampling = TimeSampling()
    holds_clean: bool = False
    objective: Objective = SymmetricObjective()
    has_span: bool = False
    windows: JointWindows | None = None
    appearance: Appearance | None = None

    def __post_init__(self):
        if self.holds_clean:
            requirements.require_two_clocks(self, "Inference that holds a clean component")
        if self.has_span:
            requirements.require_two_clocks(self, "A flow map")

    @property
    def is_unconditional(self) -> bool:
        """True if the network has only seen semantics of pure noise, and knows images alone."""
        return self.time_sampling.is_unconditional

    @property
    def generation_clock(self) -> Clock:
        """The clock along which images emerge from noise beside given semantics."""
        if self.is_unconditional:
            return clocks.noise_semantics
        return clocks.clean_semantics if self.holds_clean else clocks.tied_clock

    @property
    def prediction_clock(self) -> Clock:
        """The clock along which semantics emerge from noise beside a given image."""
        return clocks.clean_image if self.holds_clean else clocks.tied_clock

    @property
    def clock_name(self) -> str:
        """The name of the inference clock in reports: "clean" or "tied", or "noise"."""
        if self.is_unconditional:
            return "noise"
        return "clean" if self.holds_clean else "tied"

    def init(self, key: Key[Array, ""]) -> Params:
        """Parameters of the network."""
        x, y = (jnp.zeros((1, *shape)) for shape in self.codec.shapes)
        times = self.network_times(JointState(jnp.zeros(1), jnp.zeros(1)), jnp.zeros(1))
        return self.network.init(key, x, y, times)["params"]

    def in_compute_dtype(self, weights: Weights) -> Weights:
        """Casts matrices and kernels to the dtype of their network; vectors do not change.

        No result changes, since every layer would make the same cast. In bfloat16, devices then
        exchange and read half as many bytes. Vectors, such as the scales of normalisations, may be
        used in float32.
        """
        return cast_matrices(weights, self.network.dtype, self.codec.dtype)

    def velocity(self, weights: Weights) -> Velocity:
        """The velocities of both components, with the network's parameters bound.

        With a span it is the average velocity of the image over it, from its time on.
        """

        def velocity(state: JointState, times: JointState, span: Time | float = 0.0) -> JointState:
            output = self._output(weights, state, times, span)
            return map_components(
                lambda parameterization, *arguments: parameterization.velocity(*arguments),
                self.parameterizations,
                output,
                state,
                times,
                self.paths,
            )

        return velocity if self.windows is None else self.windows(velocity)

    def resized(self, height: int, width: int) -> "SymmFlow":
        """The same network in one pass over images of another size in pixels."""
        return dataclasses.replace(self, codec=self.codec.resized(height, width))

    def on_canvas(self, height: int, width: int, overlap: float) -> "SymmFlow":
        """The same network in windows of its own size over images of a larger size.

        Args:
            height, width: size of the images in pixels.
            overlap: share of a window that the next one covers; see `JointWindows`.

        Raises:
            ValueError: if the images are smaller than a window, or the overlap is out of its range.
        """
        large = self.resized(height, width)
        size, window = large.codec.shapes.image[:2], self.codec.shapes.image[:2]
        windows = JointWindows(size, window, overlap)
        if windows.count == 1:
            return self
        return dataclasses.replace(large, windows=windows)

    @property
    def attention_rate(self) -> int | None:
        """Pixels along a side of the smallest places between which attention compares.

        None for a network without attention.
        """
        rate_of_codec = self.codec.image_shape[0] // self.codec.shapes.image[0]
        if rate_of_codec > 1:
            return rate_of_codec  # An autoencoder attends to all of its latents.
        fields = {field.name for field in dataclasses.fields(self.network)}
        if "attention_rates" not in fields:
            return None
        coarsest = 2 ** (len(self.network.channel_multipliers) - 1)
        return min((*self.network.attention_rates, coarsest))

    def _output(
        self,
        weights: Weights,
        state: JointState,
        times: JointState,
        span: Time | float = 0.0,
        dropout_keys: ExampleKeys | None = None,
    ) -> JointState:
        """The network's outputs for both components; keys `[batch]` turn dropout on."""
        batch = state.image.shape[:1]
        times = jax.tree.map(lambda t: jnp.broadcast_to(t, batch), times)
        spans = jnp.broadcast_to(jnp.asarray(span, jnp.float32), batch)
        output = self.network.apply(
            {"params": weights.network},
            *state,
            self.network_times(times, spans),
            dropout_keys=dropout_keys,
        )
        return JointState(*output)

    def network_times(
        self, times: JointState, span: PerExample
    ) -> PerExample | Float[Array, " batch times"]:
        """The times as the network takes them, float `[batch]`, `[batch, 2]` or `[batch, 3]`.

        Args:
            times: float `[batch]` of each component; one time is that of the image.
            span: float `[batch]`; only a flow map takes it.
        """
        if self.time_sampling.num_clocks == 1:
            return times.image
        return jnp.stack([*times, span] if self.has_span else times, axis=-1)

    @property
    def for_tangents(self) -> "SymmFlow":
        """The same method in a form that has tangents (forward mode), which kernels lack.

        It computes in float32: a tangent is a small difference of large numbers.
        """
        wanted = {"attention": "xla", "dtype": jnp.float32}
        fields = {field.name for field in dataclasses.fields(self.network)}
        changes = {name: value for name, value in wanted.items() if name in fields}
        return dataclasses.replace(self, network=self.network.clone(**changes))

    @property
    def of_velocities(self) -> "SymmFlow":
        """The same method with the objective of the flow and images as they are.

        It may be trained with another objective, or with images whose appearance changes.
        """
        return dataclasses.replace(
            self,
            appearance=None,
            objective=SymmetricObjective(),
            time_sampling=dataclasses.replace(self.time_sampling, map_share=0.0),
        )

    def _networks(
        self, weights: Weights, example_keys: ExampleKeys, dropout_keys: ExampleKeys | None
    ) -> Networks:
        """The networks of the objective."""

        def output_of(method: SymmFlow, weights: Weights) -> Output:
            return lambda state, times, span: method._output(
                weights, state, times, span, dropout_keys
            )

        # So that JAX differentiates no pass whose gradient is not wanted.
        held = Weights(jax.lax.stop_gradient(weights.network))

        teacher = None
        if weights.teacher is not None:
            frozen = dataclasses.replace(self, has_span=False)
            teacher = frozen.velocity(Weights(weights.teacher))
        noise_keys = keys.stream(example_keys, Stream.UNCONDITIONAL_NOISE)
        return Networks(
            output_of(self, weights),
            output_of(self, held),
            output_of(self.for_tangents, held),
            teacher,
            lambda: keys.normal(noise_keys, self.codec.shapes.semantics),
        )

    def losses(
        self,
        weights: Weights,
        example_keys: ExampleKeys,
        image: Images,
        labels: Labels,
        loss_weights: JointState,
        dropout: bool = False,
        has: JointState | None = None,
    ) -> Losses:
        """The objective of each example at a random time, float32 `[batch]`.

        Args:
            weights: of network and codec.
            example_keys: keys `[batch]`.
            image: images that the codec takes.
            labels: int `[batch, height, width]` or `[batch]`, as the encoding takes them.
            loss_weights: weight of each component's loss.
            dropout: whether the network drops activations; each example has its own masks.
            has: bool `[batch]` for each component, whether an example has it; None if all have
                both. What an example lacks has no loss.
        """
        drawn = self.draw(weights, example_keys, image, labels, has)
        dropout_keys = keys.stream(example_keys, Stream.DROPOUT) if dropout else None
        return self.objective.losses(
            self._networks(weights, example_keys, dropout_keys),
            self.paths,
            self.parameterizations,
            loss_weights,
            drawn.data,
            drawn.noise,
            labels,
            drawn.times,
        )

    def draw(
        self,
        weights: Weights,
        example_keys: ExampleKeys,
        image: Images,
        labels: Labels,
        has: JointState | None = None,
    ) -> TrainingDraw:
        """The clean data, noise and times of training examples; arguments as in `losses`."""
        image_keys = keys.stream(example_keys, Stream.IMAGE_ENCODING)
        semantics_keys = keys.stream(example_keys, Stream.SEMANTICS_ENCODING)
        times = jax.vmap(self.time_sampling)(keys.stream(example_keys, Stream.TIMES), has)
        image = self._seen(example_keys, image, times)
        data = JointState(
            self.codec.encode_image(weights.codec, image_keys, image, train=True),
            self.codec.encode_semantics(weights.codec, semantics_keys, labels),
        )
        coupling_key = keys.stream(example_keys, Stream.COUPLING)[0]
        noise = self.coupling.couple(coupling_key, data, self._noise(example_keys))
        return TrainingDraw(data, noise, times)

    def _seen(self, example_keys: ExampleKeys, image: Images, drawn: TrainingTimes) -> Images:
        """The images with a changed appearance where they are held clean, and not learned."""
        if self.appearance is None:
            return image
        is_held = (drawn.times.image == 1.0) & (drawn.learned.image == 0.0)
        return self.appearance(keys.stream(example_keys, Stream.APPEARANCE), image, is_held)

    def losses_of(
        self, weights: Weights, drawn: TrainingDraw, labels: Labels, loss_weights: JointState
    ) -> Losses:
        """The losses of the flow of each example of a draw, float32 `[batch]`, without dropout."""
        return symmetric_loss(
            lambda state, times: self._output(weights, state, times),
            self.paths,
            self.parameterizations,
            loss_weights,
            drawn.data,
            drawn.noise,
            labels,
            drawn.times,
        )

    def generate(
        self,
        weights: Weights,
        example_keys: ExampleKeys,
        labels: Labels,
        solve: Solve,
        guidance: Guidance = NO_GUIDANCE,
        after_step: StateHook | None = None,
    ) -> Solution:
        """Images from labels: read `state.image`, which the codec decodes.

        The semantics are dequantised as in training. An unconditional network gets noise instead.

        Raises:
            ValueError: if the network has not learned to make images; if there is guidance, but
                the network has one clock, or knows no images without semantics; or if the solver
                jumps, but the network is no flow map, or there is guidance.
        """
        requirements.require_images(self)
        requirements.require_map(self, solve, self.generation_clock)
        noise = self._noise(example_keys)
        semantics_keys = keys.stream(example_keys, Stream.SEMANTICS_ENCODING)
        semantics = (
            noise.semantics
            if self.is_unconditional
            else self.codec.encode_semantics(weights.codec, semantics_keys, labels)
        )
        velocity = self.velocity(weights)
        if guidance != NO_GUIDANCE:
            if guidance.passes > 1:
                requirements.require_two_clocks(self, "Guidance")
                requirements.require_noise_semantics(self, "Guidance")
            if solve.takes_spans:
                raise ValueError(
                    "The solver 'flow_map' takes no guidance; train the map with "
                    "config.train.map_guidance, which costs no second pass."
                )
            noise_keys = keys.stream(example_keys, Stream.UNCONDITIONAL_NOISE)
            velocity = guidance(velocity, keys.normal(noise_keys, self.codec.shapes.semantics))
        solution = tasks.synthesize(
            velocity, semantics, noise.image, solve, self.generation_clock, after_step
        )
        return solution._replace(nfe=guidance.passes * solution.nfe)

    def predict_semantics(
        self,
        weights: Weights,
        example_keys: ExampleKeys,
        image: Images,
        solve: Solve,
        after_step: StateHook | None = None,
    ) -> Solution:
        """Semantics from images: read `state.semantics`, which the codec decodes.

        Raises:
            ValueError: if the network has not learned to read images, or not in so many steps; or
                if the solver jumps.
        """
        requirements.require_reading(self, solve)
        requirements.require_map(self, solve, self.prediction_clock)
        image_keys = keys.stream(example_keys, Stream.IMAGE_ENCODING)
        clean = self.codec.encode_image(weights.codec, image_keys, image, train=False)
        noise = self._noise(example_keys).semantics
        velocity = self.velocity(weights)
        return tasks.predict_semantics(
            velocity, clean, noise, solve, self.prediction_clock, after_step
        )

    def sample(
        self,
        weights: Weights,
        example_keys: ExampleKeys,
        solve: Solve,
        what: Sampled,
        after_step: StateHook | None = None,
    ) -> Solution:
        """Images, semantics or pairs of both from noise alone; the codec decodes the state.

        Raises:
            ValueError: if the network has one clock, or has learned one task alone; or if the
                solver jumps, but the network is no flow map or not only images are made.
        """
        requirements.require_two_clocks(self, "Sampling from noise alone")
        requirements.require_noise_semantics(self, "Sampling from noise alone")
        clock, start, end = what.value
        requirements.require_map(self, solve, clock)
        noise = self._noise(example_keys)
        return tasks.sample(self.velocity(weights), noise, solve, clock, start, end, after_step)

    def _noise(self, example_keys: ExampleKeys) -> JointState:
        """Standard normal arrays `[batch, ...]` in the shapes of the state."""
        streams = JointState(Stream.IMAGE_NOISE, Stream.SEMANTICS_NOISE)
        return map_components(
            lambda name, shape: keys.normal(keys.stream(example_keys, name), shape),
            streams,
            self.codec.shapes,
        )
