"""Findings of an evaluation: scores, and the counts that a report shows."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from symmflow_jax.evaluation.evaluator import EvaluatedWeights
from symmflow_jax.evaluation.measurement import Measurement, Scores, over_seeds
from symmflow_jax.metrics.calibration import RiskCoverage
from symmflow_jax.metrics.rejection import RejectionCurve


@dataclasses.dataclass(frozen=True)
class Confusion:
    """The confusion matrix of one row of the table and one seed.

    Attributes:
        counts: int64 `[classes, classes]`; rows are the true classes, columns the predicted ones.
        row: solver and number of steps, as in `Protocol.row`.
        task: the task, as in `Protocol`.
    """

    counts: np.ndarray
    row: str
    task: str


@dataclasses.dataclass(frozen=True)
class Findings:
    """Results of one or several metrics.

    Attributes:
        table: the scores.
        confusion: the confusion matrix of the first row, or None if no classes were predicted.
        risk_coverage: risk-coverage curve of the first seed's predictions, by row.
        rejection: rejection curves of the first seed's labels, by row and name of the uncertainty.
    """

    table: list[Measurement]
    confusion: Confusion | None = None
    risk_coverage: Mapping[str, RiskCoverage] = dataclasses.field(
        default_factory=lambda: MappingProxyType({})
    )
    rejection: Mapping[str, Mapping[str, RejectionCurve]] = dataclasses.field(
        default_factory=lambda: MappingProxyType({})
    )


Metric = Callable[[EvaluatedWeights], Findings]
"""Function that evaluates weights; an entry of `config.build.metrics.METRICS` makes one."""


def merged(parts: Iterable[Findings]) -> Findings:
    """Merges findings; keeps the first confusion matrix."""
    parts = list(parts)
    return Findings(
        table=[measurement for part in parts for measurement in part.table],
        confusion=next((part.confusion for part in parts if part.confusion), None),
        risk_coverage={name: c for part in parts for name, c in part.risk_coverage.items()},
        rejection={name: c for part in parts for name, c in part.rejection.items()},
    )


def table_over_seeds(repeats: Sequence[Sequence[Scores]]) -> list[Measurement]:
    """Averages the scores of repetitions over seeds; each gives the same list of scores."""
    return [m for same in zip(*repeats, strict=True) for m in over_seeds(same)]
