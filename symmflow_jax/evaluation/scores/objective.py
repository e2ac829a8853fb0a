"""The training loss on the evaluation split."""

from clu import metrics

from symmflow_jax.evaluation.evaluator import EvaluatedWeights, Evaluator
from symmflow_jax.evaluation.findings import Findings, Metric, table_over_seeds
from symmflow_jax.evaluation.measurement import Protocol, Scores
from symmflow_jax.evaluation.scores.tally import average
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.runtime import processes


def make_objective(evaluator: Evaluator) -> Metric:
    """Makes the metric of the training loss, for all seeds."""

    def measure(evaluated: EvaluatedWeights) -> Findings:
        repeats = [
            [objective_of_seed(evaluator, evaluated, seed, evaluator.experiment.eval.num_examples)]
            for seed in evaluator.seeds
        ]
        return Findings(table_over_seeds(repeats))

    return measure


def objective_of_seed(
    evaluator: Evaluator, evaluated: EvaluatedWeights, seed: int, num_examples: int
) -> Scores:
    """Measures the training loss on `num_examples` examples (0 takes all) with one seed."""
    protocol = evaluator.protocol("objective", evaluated, seed)
    return objective(evaluator, evaluated, protocol, num_examples)


def objective(
    evaluator: Evaluator, evaluated: EvaluatedWeights, protocol: Protocol, num_examples: int
) -> Scores:
    """Measures the training loss, without dropout, on `num_examples` examples (0 takes all)."""
    names = ("loss", "loss_image", "loss_semantics")
    totals = [metrics.Average.empty() for _ in names]
    for batch in evaluator.batches(num_examples):
        losses = evaluator.call(
            predictions.losses,
            evaluated,
            protocol.seeds[0],
            batch,
            batch.image,
            batch.labels,
            loss_weights=evaluator.experiment.loss_weights,
        )
        parts = (losses.total, losses.image, losses.semantics)
        totals = [
            total.merge(average(part, batch.valid))
            for total, part in zip(totals, parts, strict=True)
        ]
    totals = [processes.sum_over_processes(total) for total in totals]
    values = {name: float(total.compute()) for name, total in zip(names, totals, strict=True)}
    return Scores(values=values, num_examples=int(totals[0].count), protocol=protocol)
