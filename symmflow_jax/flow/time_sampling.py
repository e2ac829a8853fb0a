"""Time sampling: the random times of training examples."""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Key

from symmflow_jax.flow import keys
from symmflow_jax.flow.clocks import tied_clock
from symmflow_jax.flow.keys import Stream
from symmflow_jax.flow.shapes import Scalar
from symmflow_jax.flow.state import JointState, map_components

_WHOLE_SHARE = 0.25

# Kinds of times, by their place among the shares; that of an image of pure noise has no share.
_NOISE_SEMANTICS, _NOISE_IMAGE = 4, 5

ONE_CLOCK = (
    "An image without its mask or label, or one of these without its image, needs a network with a "
    "clock for each component: what is missing is pure noise, while the other one moves. With "
    "config.train.clock='tied' both are noise at the same time; set config.train.clock to "
    "'independent' or 'mixed', or config.data.unlabelled='refuse'."
)
"""Why a network of one clock cannot learn from a component alone."""


class TrainingTimes(NamedTuple):
    """The times of one training example.

    Attributes:
        times: float32 scalars in [0, 1].
        learned: 1.0 for each component whose velocity counts in the loss, otherwise 0.0.
        span: float32 scalar, the span of the image's jump from its time on, 0 for its velocity;
            None without jumps.
    """

    times: JointState
    learned: JointState
    span: Scalar | None = None


@dataclasses.dataclass(frozen=True)
class TimeSampling:
    """A mixture of ways to draw the two times; the shares add up to 1.

    By default they are tied, `t ~ U(0, 1)` for both components (arXiv 2506.10634, algorithm 1).

    Attributes:
        tied: share of the examples with one time for both components.
        independent: share of the examples with two independent times, uniform over the unit square.
        clean_image: share of the examples with a clean image, t_x = 1, as in prediction of
            semantics. The image's velocity is not needed there and does not count.
        clean_semantics: share of the examples with clean semantics, t_y = 0, as in generation.
            The semantics' velocity does not count.
        noise_semantics: share of the examples with semantics of pure noise, t_y = 1, as in
            generation without semantics, whose velocity does not count. With a share of 1 this is
            flow matching of images alone (arXiv 2210.02747).
        prob_at_one: probability that the semantics' time is exactly 1, which is pure noise and the
            start of prediction. Only there must the network rely on the image: at 0.9 the noise
            of a class label averages out over the pixels and shows its code. Tied times are both
            1 then; independent times train images without semantics.
        map_share: share of the jumps among the examples whose image moves beside clean semantics,
            or beside semantics of pure noise, which alone do not move; see `_jump`.

    Raises:
        ValueError: if a share is negative or the shares do not add up to 1.
    """

    tied: float = 1.0
    independent: float = 0.0
    clean_image: float = 0.0
    clean_semantics: float = 0.0
    noise_semantics: float = 0.0
    prob_at_one: float = 0.0
    map_share: float = 0.0

    def __post_init__(self):
        if not (min(self.shares) >= 0 and abs(sum(self.shares) - 1.0) <= 1e-6):
            raise ValueError(
                f"The shares of the clocks are {self.shares}; they must not be negative and must "
                "add up to 1."
            )

    @property
    def shares(self) -> tuple[float, float, float, float, float]:
        """The shares, in the order of the attributes."""
        semantics = self.clean_semantics, self.noise_semantics
        return self.tied, self.independent, self.clean_image, *semantics

    @property
    def is_unconditional(self) -> bool:
        """True if no example has semantics, so that only images are learned."""
        return self.noise_semantics == 1.0

    @property
    def num_clocks(self) -> int:
        """Number of times that the network takes: 1 if they are always tied, otherwise 2."""
        return 1 if self.tied == 1.0 else 2

    def __call__(self, key: Key[Array, ""], has: JointState | None = None) -> TrainingTimes:
        """Draws the times of one example.

        A component that the example lacks is pure noise, t_x = 0 or t_y = 1, and is not learned:
        an image alone is an example of `noise_semantics`.

        Args:
            key: the example's key `[]`.
            has: bool scalars, whether the example has each component; None if it has both.

        Raises:
            ValueError: if an example may lack a component, but there is one clock for both.
        """
        if self.num_clocks == 1:
            if has is not None:
                raise ValueError(ONE_CLOCK)
            time = self._semantics_time(keys.stream(key, Stream.SEMANTICS_TIME))
            return TrainingTimes(tied_clock(time), JointState(1.0, 1.0))
        clock_key = keys.stream(key, Stream.CLOCK)
        kind = jax.random.choice(clock_key, 5, p=jnp.asarray(self.shares))
        if has is not None:
            kind = jnp.where(has.semantics, kind, _NOISE_SEMANTICS)
            kind = jnp.where(has.image, kind, _NOISE_IMAGE)
        t_y = self._semantics_time(keys.stream(key, Stream.SEMANTICS_TIME))
        t_x = jax.random.uniform(keys.stream(key, Stream.IMAGE_TIME))
        zero, one = jnp.zeros_like(t_y), jnp.ones_like(t_y)
        times = JointState(
            image=jnp.stack([t_y, t_x, one, t_x, t_x, zero])[kind],
            semantics=jnp.stack([t_y, t_y, t_y, zero, one, t_y])[kind],
        )
        learned = JointState(
            image=jnp.asarray([1.0, 1.0, 0.0, 1.0, 1.0, 0.0])[kind],
            semantics=jnp.asarray([1.0, 1.0, 1.0, 0.0, 0.0, 1.0])[kind],
        )
        if has is not None:
            learned = map_components(lambda weight, has: jnp.where(has, weight, 0.0), learned, has)
        drawn = TrainingTimes(times, learned)
        if not self.map_share:
            return drawn
        at_an_end = (times.semantics == 0.0) | (times.semantics == 1.0)
        is_still = at_an_end & (learned.image > 0.0) & (kind != 0)
        return self._jump(keys.stream(key, Stream.JUMP), drawn, is_still)

    def _jump(
        self, key: Key[Array, ""], drawn: TrainingTimes, is_still: Bool[Array, ""]
    ) -> TrainingTimes:
        """Makes a share of the examples whose semantics do not move into jumps of the image.

        A jump runs from the smaller to the larger of two uniform times; of four, one runs from 0
        to 1, since all of generation in one step needs it.
        """
        u = jax.random.uniform(keys.stream(key, Stream.CLOCK))
        other = jax.random.uniform(keys.stream(key, Stream.IMAGE_TIME))
        start, end = jnp.minimum(drawn.times.image, other), jnp.maximum(drawn.times.image, other)
        is_whole = u < _WHOLE_SHARE * self.map_share
        start, end = jnp.where(is_whole, 0.0, start), jnp.where(is_whole, 1.0, end)
        is_jump = is_still & (u < self.map_share)
        times = drawn.times._replace(image=jnp.where(is_jump, start, drawn.times.image))
        return drawn._replace(times=times, span=jnp.where(is_jump, end - start, 0.0))

    def _semantics_time(self, key: Key[Array, ""]) -> Scalar:
        """Uniform in [0, 1), or 1 with the probability `prob_at_one`."""
        u = jax.random.uniform(key)
        stretched = (u - self.prob_at_one) / (1.0 - self.prob_at_one)
        return jnp.where(u < self.prob_at_one, 1.0, stretched)
