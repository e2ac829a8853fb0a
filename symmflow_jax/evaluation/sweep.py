"""The sweep: every metric that an experiment asks for, or a few to watch a training by."""

from symmflow_jax.evaluation.evaluator import EvaluatedWeights, Evaluator
from symmflow_jax.evaluation.findings import Findings, merged, table_over_seeds
from symmflow_jax.evaluation.measurement import Measurement
from symmflow_jax.evaluation.scores import recognition
from symmflow_jax.evaluation.scores.objective import objective_of_seed
from symmflow_jax.flow.solvers.fixed_steps import FixedSteps
from symmflow_jax.flow.solvers.runge_kutta import EULER


def measure(evaluator: Evaluator, trained: EvaluatedWeights) -> Findings:
    """Every score that the experiment asks for."""
    # All metrics are made first: weights of one may turn out to be of another network.
    metrics = [make(evaluator) for make in evaluator.experiment.metrics()]
    return merged(metric(trained) for metric in metrics)


def measure_quickly(evaluator: Evaluator, trained: EvaluatedWeights) -> list[Measurement]:
    """The one-step score and the loss on a few examples, to watch a training by."""
    num_examples, seed = evaluator.experiment.eval.num_quick_examples, evaluator.experiment.seed
    protocol = evaluator.row_protocol(evaluator.task, trained, seed, "euler", 1)
    once = FixedSteps(EULER, 1)
    found = recognition.predict_semantics(
        evaluator, trained, once, protocol, num_examples=num_examples
    )
    loss = objective_of_seed(evaluator, trained, seed, num_examples)
    return table_over_seeds([[*found.scores, loss]])
