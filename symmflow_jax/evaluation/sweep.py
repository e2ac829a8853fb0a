"""Sweep over all configured metrics, and a quick evaluation for use during training."""

import logging

from symmflow_jax.evaluation.evaluator import EvaluatedWeights, Evaluator
from symmflow_jax.evaluation.findings import Findings, merged, table_over_seeds
from symmflow_jax.evaluation.measurement import Measurement
from symmflow_jax.evaluation.scores import recognition
from symmflow_jax.evaluation.scores.objective import objective_of_seed
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.runge_kutta import EULER

_logger = logging.getLogger(__name__)


def measure(evaluator: Evaluator, evaluated: EvaluatedWeights) -> Findings:
    """Evaluates weights with all metrics of the config.

    Raises:
        ValueError: if weights of a feature network are missing or of another network.
    """
    left_out = evaluator.experiment.metrics_left_out()
    if left_out:
        clock = evaluator.experiment.train.clock
        _logger.info(
            "Not measured: %s, since config.train.clock=%r learns the other task alone.",
            ", ".join(left_out),
            clock,
        )
    # All metrics are made first, so that unusable weights of one raise before the long evaluation.
    metrics = [make(evaluator) for make in evaluator.experiment.metrics()]
    return merged(metric(evaluated) for metric in metrics)


def measure_quickly(evaluator: Evaluator, evaluated: EvaluatedWeights) -> list[Measurement]:
    """Measures the one-step score and the loss on `config.eval.num_quick_examples` examples.

    A method that reads no semantics has the loss alone.
    """
    num_examples, seed = evaluator.experiment.eval.num_quick_examples, evaluator.experiment.seed
    loss = objective_of_seed(evaluator, evaluated, seed, num_examples)
    if not evaluator.method.time_sampling.learns_semantics:
        return table_over_seeds([[loss]])
    protocol = evaluator.row_protocol(evaluator.task, evaluated, seed, "euler", 1)
    once = FixedSteps(EULER, 1)
    found = recognition.predict_semantics(
        evaluator, evaluated, once, protocol, num_examples=num_examples
    )
    return table_over_seeds([[*found.scores, loss]])
