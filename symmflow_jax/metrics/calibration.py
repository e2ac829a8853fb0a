"""Predictions by their confidence: calibration and selective prediction."""

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
"""Bins of equal width over [0, 1]; predictions in one bin count as equally confident."""


class RiskCoverage(NamedTuple):
    """The risk-coverage curve: error rate of the most confident predictions.

    Attributes:
        coverage: share of the predictions that are kept, float64 `[n]`, increasing to 1.
        risk: error rate of the kept predictions, float64 `[n]`, in [0, 1].
    """

    coverage: np.ndarray
    risk: np.ndarray


@flax.struct.dataclass
class ConfidenceBins(metrics.Metric):
    """Histogram of predictions by confidence; bin i holds those in (i, i + 1] / NUM_BINS.

    Batches are counted on the device and merged on the host in float64. Each attribute has shape
    `[NUM_BINS]`.

    Attributes:
        count: number of predictions in each bin.
        correct: number of correct predictions in each bin.
        shortfall: sum of the distances from the confidences to the upper edge of the bin. In
            float32 it is far more exact than a sum of the confidences.
    """

    count: jax.Array | np.ndarray
    correct: jax.Array | np.ndarray
    shortfall: jax.Array | np.ndarray

    @classmethod
    def empty(cls) -> "ConfidenceBins":
        """Bins without predictions."""
        return cls(*np.zeros((3, NUM_BINS)))

    @classmethod
    def from_answers(
        cls, confidence: jax.Array, correct: jax.Array, valid: jax.Array
    ) -> "ConfidenceBins":
        """The bins of a batch.

        Args:
            confidence: float32 in [0, 1] of any shape.
            correct: bool, of the same shape.
            valid: bool, of the same shape; False excludes a prediction.
        """
        bins = jnp.clip(jnp.ceil(confidence * NUM_BINS).astype(jnp.int32) - 1, 0, NUM_BINS - 1)
        shortfall = (bins + 1).astype(jnp.float32) / NUM_BINS - confidence
        # One additional bin takes the predictions that do not count.
        bins = jnp.where(valid, bins, NUM_BINS)

        def add(values: jax.Array) -> jax.Array:
            return jnp.zeros(NUM_BINS + 1, values.dtype).at[bins].add(values)[:-1]

        ones = jnp.ones_like(bins)
        return cls(add(ones), add(correct.astype(jnp.int32)), add(shortfall))

    def merge(self, other: "ConfidenceBins") -> "ConfidenceBins":
        """The sum of both histograms, on the host."""
        return ConfidenceBins(
            np.asarray(self.count, np.float64) + np.asarray(other.count),
            np.asarray(self.correct, np.float64) + np.asarray(other.correct),
            np.asarray(self.shortfall, np.float64) + np.asarray(other.shortfall),
        )

    def compute(self) -> dict[str, float]:
        """A dictionary of `calibration_error` and `aurc`."""
        return {"calibration_error": self.calibration_error(), "aurc": self.aurc()}

    def calibration_error(self) -> float:
        """The expected calibration error (Guo et al. 2017, arXiv 1706.04599).

        The mean over all predictions of the distance between the accuracy and the mean
        confidence of their group, in [0, 1]; NaN if there are no predictions.
        """
        count = np.asarray(self.count, np.float64)
        if not count.sum():
            return float("nan")
        confidence = count * np.arange(1, NUM_BINS + 1) / NUM_BINS - self.shortfall
        surplus = np.sum((self.correct - confidence).reshape(NUM_GROUPS, -1), axis=1)
        return float(np.sum(np.abs(surplus)) / count.sum())

    def risk_coverage(self) -> RiskCoverage:
        """The risk-coverage curve, with one point per bin that has predictions."""
        count, wrong = self._most_sure_first()
        kept = np.cumsum(count)
        return RiskCoverage(kept / max(kept[-1:].sum(), 1.0), np.cumsum(wrong) / kept)

    def aurc(self) -> float:
        """The area under the risk-coverage curve (Geifman and El-Yaniv 2017, arXiv 1705.08500).

        The mean of the error rates of the n most confident predictions, for n from one to all;
        NaN if there are no predictions. Ties are averaged over all orders: if c predictions with
        e errors are more confident than a bin with error rate q, the expected error rate at n is
        `q + (e - c q) / n`. Its sum over the bin is a difference of digamma values.
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
        """Counts and errors of the nonempty bins, by decreasing confidence, float64."""
        count = np.asarray(self.count, np.float64)[::-1]
        wrong = count - np.asarray(self.correct, np.float64)[::-1]
        return count[count > 0], wrong[count > 0]
