"""Calibration: are answers right as often as they are sure? (Guo et al. 2017, arXiv 1706.04599)"""

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from clu import metrics

NUM_BINS = 15
"""Bins of equal width over [0, 1], as in Guo et al."""


@flax.struct.dataclass
class CalibrationBins(metrics.Metric):
    """Counts and sums `[NUM_BINS]` of answers by their confidence; bin i ends at (i+1)/NUM_BINS.

    Summed on the device in float32, one batch at a time; merged on the host in float64.

    Attributes:
        count: answers in each bin.
        confidence: the sum of their confidences.
        correct: how many of them are right.
    """

    count: jax.Array | np.ndarray
    confidence: jax.Array | np.ndarray
    correct: jax.Array | np.ndarray

    @classmethod
    def empty(cls) -> "CalibrationBins":
        """No answers yet."""
        return cls(*np.zeros((3, NUM_BINS)))

    @classmethod
    def from_answers(
        cls, confidence: jax.Array, correct: jax.Array, valid: jax.Array
    ) -> "CalibrationBins":
        """The bins of a batch.

        Args:
            confidence: float `[batch]` in [0, 1].
            correct: bool `[batch]`.
            valid: bool `[batch]`; padding does not count.
        """
        bins = jnp.ceil(confidence * NUM_BINS).astype(jnp.int32) - 1
        # One bin beyond the others takes what does not count.
        bins = jnp.where(valid, jnp.clip(bins, 0, NUM_BINS - 1), NUM_BINS)

        def add(values: jax.Array) -> jax.Array:
            return jnp.zeros(NUM_BINS + 1, jnp.float32).at[bins].add(values)[:-1]

        ones = jnp.ones_like(confidence, jnp.float32)
        return cls(add(ones), add(confidence), add(correct.astype(jnp.float32)))

    def merge(self, other: "CalibrationBins") -> "CalibrationBins":
        """Bins of both, on the host."""
        return CalibrationBins(
            np.asarray(self.count, np.float64) + np.asarray(other.count),
            np.asarray(self.confidence, np.float64) + np.asarray(other.confidence),
            np.asarray(self.correct, np.float64) + np.asarray(other.correct),
        )

    def compute(self) -> float:
        """The expected calibration error: the mean over all answers of the distance between
        the accuracy and the mean confidence of their bin; NaN if there are none.
        """
        total = np.sum(self.count)
        if not total:
            return float("nan")
        return float(np.sum(np.abs(np.asarray(self.correct) - self.confidence)) / total)
