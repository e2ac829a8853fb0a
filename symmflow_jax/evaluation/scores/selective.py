"""Recognition of labels with AUC, and with scores as the least sure answers are rejected."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from symmflow_jax.evaluation.evaluator import EvaluatedWeights, Evaluator
from symmflow_jax.evaluation.findings import Findings, Metric
from symmflow_jax.evaluation.measurement import Protocol
from symmflow_jax.evaluation.scores import recognition
from symmflow_jax.evaluation.scores.recognition import ScoredSemantics
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference.compiled.predictions import SemanticsPrediction
from symmflow_jax.metrics import roc
from symmflow_jax.metrics.rejection import RejectionCurve, rejection_curve
from symmflow_jax.runtime import processes
from symmflow_jax.semantics.encoding import (
    ClassEncoding,
    Encoding,
    ProbabilityEncoding,
    inverse_distance_shares,
)


@dataclasses.dataclass(frozen=True)
class GradedLabels:
    """Answers for all examples, with what ranks them.

    Attributes:
        targets: the true classes, int `[n]`.
        labels: the answers, int `[n]`.
        probabilities: of the classes, float `[n, classes]`: those of the encoding, or the shares
            of the inverse distances from the classes' codes.
        distances: distances from the classes' codes, float64 `[n, classes]`, or None.
        uncertainty: by name, float64 `[n]`: "distance" from the code of the answer, the measure of
            MedSymmFlow; "confidence", one minus it; "entropy" of several draws or of probabilities.
    """

    targets: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray
    distances: np.ndarray | None
    uncertainty: Mapping[str, np.ndarray]

    def scores(self) -> dict[str, float]:
        """The areas under ROC curves.

        `auc` is that of MedMNIST's evaluator, of the probabilities. `auc_of_distances` is that of
        the published code of MedSymmFlow: a class scores by its distance, and all classes count,
        also if there are two.
        """
        found = {"auc": roc.medmnist(self.probabilities, self.targets)}
        if self.distances is not None:
            found["auc_of_distances"] = roc.one_vs_rest(-self.distances, self.targets)
        return found

    def rejection(self) -> dict[str, RejectionCurve]:
        """The rejection curve by each uncertainty; ties go by the confidence. Empty if n is 0."""
        correct = self.labels == self.targets

        def auc(indices: np.ndarray) -> float:
            return roc.medmnist(self.probabilities[indices], self.targets[indices])

        def curve(uncertainty: np.ndarray) -> RejectionCurve:
            order = np.lexsort((self.uncertainty["confidence"], uncertainty))
            return rejection_curve(order, correct, auc)

        return {name: curve(u) for name, u in self.uncertainty.items() if len(correct)}


class _Collector:
    """Gathers the answers of all processes by the index of their example.

    Args:
        num_examples: number of examples over all processes.
        num_classes: number of classes.
        encoding: the encoding of their labels.
    """

    def __init__(self, num_examples: int, num_classes: int, encoding: Encoding):
        self._has_distances = isinstance(encoding, ClassEncoding)
        self._has_probabilities = isinstance(encoding, ProbabilityEncoding)
        # Every process fills in its own rows, so the sum over processes is all of them.
        self._rows = {
            "seen": np.zeros(num_examples),
            "targets": np.zeros(num_examples, np.int64),
            "labels": np.zeros(num_examples, np.int64),
            "confidence": np.zeros(num_examples),
            "entropy": np.zeros(num_examples),
            "probabilities": np.zeros((num_examples, num_classes)),
            "distances": np.zeros((num_examples, num_classes)),
        }

    def add(self, batch: Any, result: SemanticsPrediction) -> None:
        """Adds the answers of a batch, without padding."""
        valid = np.flatnonzero(np.asarray(batch.valid))
        index = np.asarray(batch.example_index)[valid]
        values = {
            "seen": np.ones(len(batch.valid)),
            "targets": batch.labels,
            "labels": result.labels,
            "confidence": result.confidence,
            "entropy": result.entropy,
            "probabilities": result.probabilities,
            "distances": result.distances,
        }
        for name, value in values.items():
            if value is not None:
                self._rows[name][index] = np.asarray(value)[valid]

    def graded(self, has_draws: bool, ignored: tuple[int, ...]) -> GradedLabels:
        """All answers whose true class counts.

        Args:
            has_draws: whether several draws make the entropy.
            ignored: classes that do not count.
        """
        rows = processes.sum_over_processes(self._rows)
        counts = (rows["seen"] > 0) & ~np.isin(rows["targets"], ignored)
        rows = {name: values[counts] for name, values in rows.items()}
        uncertainty = {"confidence": 1.0 - rows["confidence"]}
        distances = None
        if self._has_distances:
            distances = rows["distances"]
            own = np.take_along_axis(distances, rows["labels"][:, None], axis=1)[:, 0]
            uncertainty = {"distance": own} | uncertainty
            probabilities = np.asarray(inverse_distance_shares(jnp.asarray(distances, jnp.float32)))
        else:
            probabilities = rows["probabilities"]
        if has_draws or self._has_probabilities:
            uncertainty["entropy"] = rows["entropy"]
        return GradedLabels(rows["targets"], rows["labels"], probabilities, distances, uncertainty)


def make_selective_recognition(evaluator: Evaluator) -> Metric:
    """Makes the metric of labels that are graded, for all solvers, numbers of steps and seeds.

    Raises:
        ValueError: if the encoding gives no probabilities and no distances.
    """
    encoding = evaluator.method.codec.encoding
    if not isinstance(encoding, ClassEncoding | ProbabilityEncoding):
        raise ValueError(
            f"{type(encoding).__name__} ranks no classes by probability or distance, which AUC and "
            "rejection need; measure another of config.eval.metrics, such as recognition."
        )
    return recognition.of_rows(evaluator, _row)


def _row(
    evaluator: Evaluator,
    evaluated: EvaluatedWeights,
    solver: str,
    num_steps: int | None,
    solve: Solve,
) -> Findings:
    protocols = recognition.protocols(evaluator, evaluated, solver, num_steps)
    graded = [grade_labels(evaluator, evaluated, solve, protocol) for protocol in protocols]
    found = recognition.findings_of_row(evaluator, [scored for scored, _ in graded])
    return dataclasses.replace(found, rejection={protocols[0].row: graded[0][1].rejection()})


def grade_labels(
    evaluator: Evaluator, evaluated: EvaluatedWeights, solve: Solve, protocol: Protocol
) -> tuple[ScoredSemantics, GradedLabels]:
    """Classifies the examples of the evaluation, and grades the answers.

    Args:
        evaluator: method and examples, which have one label each.
        evaluated: the weights.
        solve: the solver.
        protocol: the protocol of the scores, with one seed.

    Returns:
        the scores, with those of `GradedLabels` after the accuracy, and the graded answers.
    """
    num_examples, size = evaluator.experiment.eval.num_examples, len(evaluator.source)
    collector = _Collector(
        min(num_examples or size, size),
        evaluator.schema.num_classes,
        evaluator.method.codec.encoding,
    )
    found = recognition.predict_semantics(
        evaluator,
        evaluated,
        solve,
        protocol,
        num_examples=num_examples,
        observe=collector.add,
    )
    graded = collector.graded(protocol.ensemble_size > 1, evaluator.schema.ignored)
    (scores,) = found.scores
    first = {"accuracy": scores.values["accuracy"]} | graded.scores()
    scores = dataclasses.replace(scores, values=first | scores.values)
    return dataclasses.replace(found, scores=[scores]), graded
