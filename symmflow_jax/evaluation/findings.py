"""What an evaluation has found: scores, and the counts behind them that a report shows."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from symmflow_jax.evaluation.evaluator import EvaluatedWeights
from symmflow_jax.evaluation.measurement import Measurement, Scores, over_seeds
from symmflow_jax.metrics.calibration import RiskCoverage


@dataclasses.dataclass(frozen=True)
class Confusion:
    """The confusion matrix of one row of the table and one seed.

    Attributes:
        counts: int64 `[classes, classes]`; rows are the true classes, columns the predicted ones.
        row: solver and steps in words.
        task: the task, as in `Protocol`.
    """

    counts: np.ndarray
    row: str
    task: str


@dataclasses.dataclass(frozen=True)
class Findings:
    """What one or several metrics have found.

    Attributes:
        table: the scores.
        confusion: that of the first row, or None where no classes were predicted.
        risk_coverage: by row, the error rate of the first seed's answers as the least sure are
            left out.
    """

    table: list[Measurement]
    confusion: Confusion | None = None
    risk_coverage: Mapping[str, RiskCoverage] = dataclasses.field(
        default_factory=lambda: MappingProxyType({})
    )


Metric = Callable[[EvaluatedWeights], Findings]
"""Measures weights; an entry of `METRICS` makes one for an evaluator."""


def merged(parts: Iterable[Findings]) -> Findings:
    """All findings together; of confusion matrices the first one."""
    parts = list(parts)
    return Findings(
        table=[measurement for part in parts for measurement in part.table],
        confusion=next((part.confusion for part in parts if part.confusion), None),
        risk_coverage={name: c for part in parts for name, c in part.risk_coverage.items()},
    )


def table_over_seeds(repeats: Sequence[Sequence[Scores]]) -> list[Measurement]:
    """The measurements of passes with one seed each, which give the same kinds of scores."""
    return [m for same in zip(*repeats, strict=True) for m in over_seeds(same)]
