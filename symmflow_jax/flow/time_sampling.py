"""Time sampling: at which times the network learns."""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp

from symmflow_jax.flow import keys
from symmflow_jax.flow.clocks import tied_clock
from symmflow_jax.flow.keys import Stream
from symmflow_jax.flow.state import JointState


class TrainingTimes(NamedTuple):
    """Where on the path one example is shown.

    Attributes:
        times: float32 scalars in [0, 1].
        learned: for each leaf 1.0 if its velocity counts in the loss, or 0.0.
    """

    times: JointState
    learned: JointState


@dataclasses.dataclass(frozen=True)
class TimeSampling:
    """A mixture of ways to draw the two times; the shares add up to 1.

    By default they are tied, `t ~ U(0, 1)` for both leaves (arXiv 2506.10634, algorithm 1).

    Attributes:
        tied: share of the examples with one time for both leaves.
        independent: share of those with two independent times, uniform over the unit square.
        clean_image: share of those with a clean image, t_x = 1, as in recognition; the image's
            velocity is never asked for there, and does not count.
        clean_semantics: share of those with clean semantics, t_y = 0, as in generation; likewise.
        prob_at_one: share of the semantics' times that are not drawn but 1: pure noise, where
            recognition starts. There alone the image is all that tells of the semantics: even at
            0.9 the noise over many pixels of a class label averages out, and its code can be
            read off. Tied times are both 1 then; free ones learn images without semantics.
    """

    tied: float = 1.0
    independent: float = 0.0
    clean_image: float = 0.0
    clean_semantics: float = 0.0
    prob_at_one: float = 0.0

    def __post_init__(self):
        if min(self.shares) < 0 or abs(sum(self.shares) - 1.0) > 1e-6:
            raise ValueError(
                f"The shares of the clocks are {self.shares}; they must not be negative and must "
                "add up to 1."
            )

    @property
    def shares(self) -> tuple[float, float, float, float]:
        """Of tied, independent, clean_image and clean_semantics."""
        return self.tied, self.independent, self.clean_image, self.clean_semantics

    @property
    def num_clocks(self) -> int:
        """Times that the network must be given: one if they are always tied, otherwise two."""
        return 1 if self.tied == 1.0 else 2

    def __call__(self, key: jax.Array) -> TrainingTimes:
        """The times of one example."""
        if self.num_clocks == 1:
            time = self._semantics_time(keys.stream(key, Stream.SEMANTICS_TIME))
            return TrainingTimes(tied_clock(time), JointState(1.0, 1.0))
        clock_key = keys.stream(key, Stream.CLOCK)
        kind = jax.random.choice(clock_key, 4, p=jnp.asarray(self.shares))
        t_y = self._semantics_time(keys.stream(key, Stream.SEMANTICS_TIME))
        t_x = jax.random.uniform(keys.stream(key, Stream.IMAGE_TIME))
        times = JointState(
            image=jnp.stack([t_y, t_x, jnp.ones_like(t_x), t_x])[kind],
            semantics=jnp.stack([t_y, t_y, t_y, jnp.zeros_like(t_y)])[kind],
        )
        learned = JointState(
            image=jnp.asarray([1.0, 1.0, 0.0, 1.0])[kind],
            semantics=jnp.asarray([1.0, 1.0, 1.0, 0.0])[kind],
        )
        return TrainingTimes(times, learned)

    def _semantics_time(self, key: jax.Array) -> jax.Array:
        """Uniform in [0, 1), or 1 with the probability `prob_at_one`."""
        u = jax.random.uniform(key)
        stretched = (u - self.prob_at_one) / (1.0 - self.prob_at_one)
        return jnp.where(u < self.prob_at_one, 1.0, stretched)
