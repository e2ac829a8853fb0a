"""Answers by their confidence: calibration, and what is gained by leaving out the least sure."""

from typing import NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np
from clu import metrics
from scipy.special import digamma

NUM_GROUPS = 15
"""Groups of equal width over [0, 1] for the calibration error, as in Guo et al. 2017."""

NUM_BINS = 100 * NUM_GROUPS
"""Bins of equal width over [0, 1]; answers of one bin count as equally sure."""


class RiskCoverage(NamedTuple):
    """The error rate among the answers that are kept, as the least sure are left out.

    Attributes:
        coverage: shares of the answers that are kept, float64 `[n]`, rising to 1.
        risk: error rate among them, float64 `[n]`.
    """

    coverage: np.ndarray
    risk: np.ndarray


@flax.struct.dataclass
class ConfidenceBins(metrics.Metric):
    """Answers by their confidence, `[NUM_BINS]`; bin i holds those in (i, i + 1] / NUM_BINS.

    Counted on the device, one batch at a time; merged on the host in float64.

    Attributes:
        count: answers in each bin.
        correct: how many of them are right.
        shortfall: the sum of what their confidences are below the upper edge of the bin, which
            float32 adds up far more exactly than the confidences themselves.
    """

    count: jax.Array | np.ndarray
    correct: jax.Array | np.ndarray
    shortfall: jax.Array | np.ndarray

    @classmethod
    def empty(cls) -> "ConfidenceBins":
        """No answers yet."""
        return cls(*np.zeros((3, NUM_BINS)))

    @classmethod
    def from_answers(
        cls, confidence: jax.Array, correct: jax.Array, valid: jax.Array
    ) -> "ConfidenceBins":
        """The bins of a batch.

        Args:
            confidence: float32 in [0, 1] of any shape.
            correct: bool, of the same shape.
            valid: bool, of the same shape; only these answers count.
        """
        bins = jnp.clip(jnp.ceil(confidence * NUM_BINS).astype(jnp.int32) - 1, 0, NUM_BINS - 1)
        shortfall = (bins + 1).astype(jnp.float32) / NUM_BINS - confidence
        # One bin beyond the others takes what does not count.
        bins = jnp.where(valid, bins, NUM_BINS)

        def add(values: jax.Array) -> jax.Array:
            return jnp.zeros(NUM_BINS + 1, values.dtype).at[bins].add(values)[:-1]

        ones = jnp.ones_like(bins)
        return cls(add(ones), add(correct.astype(jnp.int32)), add(shortfall))

    def merge(self, other: "ConfidenceBins") -> "ConfidenceBins":
        """Bins of both, on the host."""
        return ConfidenceBins(
            np.asarray(self.count, np.float64) + np.asarray(other.count),
            np.asarray(self.correct, np.float64) + np.asarray(other.correct),
            np.asarray(self.shortfall, np.float64) + np.asarray(other.shortfall),
        )

    def compute(self) -> dict[str, float]:
        """`calibration_error` and `aurc`."""
        return {"calibration_error": self.calibration_error(), "aurc": self.aurc()}

    def calibration_error(self) -> float:
        """The expected calibration error (Guo et al. 2017, arXiv 1706.04599).

        The mean over all answers of the distance between the accuracy and the mean confidence
        of their group; NaN if there are no answers.
        """
        count = np.asarray(self.count, np.float64)
        if not count.sum():
            return float("nan")
        confidence = count * np.arange(1, NUM_BINS + 1) / NUM_BINS - self.shortfall
        surplus = np.sum((self.correct - confidence).reshape(NUM_GROUPS, -1), axis=1)
        return float(np.sum(np.abs(surplus)) / count.sum())

    def risk_coverage(self) -> RiskCoverage:
        """A point for each confidence that occurs; none if there are no answers."""
        count, wrong = self._most_sure_first()
        kept = np.cumsum(count)
        return RiskCoverage(kept / max(kept[-1:].sum(), 1.0), np.cumsum(wrong) / kept)

    def aurc(self) -> float:
        """The area under the risk-coverage curve (Geifman and El-Yaniv 2017, arXiv 1705.08500).

        The mean of the error rates among the n most sure answers, for n from one to all; NaN if
        there are none. Among equally sure answers each order is as good as another, and the
        mean over all of them is taken: if c answers with e errors are surer and a share q of a
        bin is wrong, then `q + (e - c q) / n` is expected at n, whose sum over the bin is one
        of reciprocals.
        """
        count, wrong = self._most_sure_first()
        if not len(count):
            return float("nan")
        share = wrong / count
        kept = np.cumsum(count)
        surer, errors = kept - count, np.cumsum(wrong) - wrong
        reciprocals = digamma(kept + 1.0) - digamma(surer + 1.0)
        total = np.sum(wrong + (errors - surer * share) * reciprocals)
        return float(total / kept[-1])

    def _most_sure_first(self) -> tuple[np.ndarray, np.ndarray]:
        """Answers and errors of the bins that have any, float64."""
        count = np.asarray(self.count, np.float64)[::-1]
        wrong = count - np.asarray(self.correct, np.float64)[::-1]
        return count[count > 0], wrong[count > 0]
