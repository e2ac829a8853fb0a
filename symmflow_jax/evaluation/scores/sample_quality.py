"""Quality of generated images: distances to the distribution of real images, and LPIPS."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from symmflow_jax.data.batch import Batch
from symmflow_jax.evaluation.evaluator import EvaluatedWeights, Evaluator
from symmflow_jax.evaluation.findings import Findings, Metric, table_over_seeds
from symmflow_jax.evaluation.measurement import Protocol, Scores
from symmflow_jax.evaluation.scores.real_features import FeatureCollector, FeatureSet, real_features
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.metrics.features import FeatureFunction
from symmflow_jax.metrics.frechet import frechet_distance
from symmflow_jax.metrics.kernel_distance import kernel_distance
from symmflow_jax.metrics.lpips import Lpips
from symmflow_jax.runtime import processes

# FID and KID are the distances of Inception features, as in the paper.
_NAMES = {"inception": ("fid", "kid")}
_OTHER_NAMES = ("frechet_distance", "kernel_distance")
_LARGEST_SUBSET = 1_000


@dataclasses.dataclass(frozen=True)
class SampleMetrics:
    """Networks and reference features for the quality of samples.

    Attributes:
        features: feature function of the distances between distributions, or None.
        real: features of the real images; None if `features` is None.
        perceptual: LPIPS, or None.
    """

    features: FeatureFunction | None
    real: FeatureSet | None
    perceptual: Lpips | None


def make_sample_metrics(evaluator: Evaluator) -> SampleMetrics:
    """Makes the sample metrics of the config; computes the features of real images if needed.

    Raises:
        DataError: if the split of the real images is missing.
        StatisticsError: if a file of statistics is damaged.
        ValueError: if weights are missing or of another network.
    """
    features = evaluator.experiment.feature_function()
    real = real_features(evaluator, features) if features else None
    return SampleMetrics(features, real, evaluator.experiment.perceptual_distance())


def make_sample_quality(evaluator: Evaluator) -> Metric:
    """Makes the metric of sample quality, for all solvers, numbers of steps and seeds.

    Without `config.eval.num_feature_samples` the metric gives no scores.

    Raises:
        DataError, StatisticsError: as in `make_sample_metrics`.
        ValueError: if weights are missing or of another network.
    """
    if not evaluator.experiment.eval.num_feature_samples:
        return lambda evaluated: Findings([])
    sample_metrics = make_sample_metrics(evaluator)

    def measure(evaluated: EvaluatedWeights) -> Findings:
        table = []
        for solver, num_steps, solve in evaluator.experiment.solver_rows():
            repeats = []
            for seed in evaluator.seeds:
                protocol = evaluator.row_protocol("generation", evaluated, seed, solver, num_steps)
                guidance = str(evaluator.guidance(num_steps)) or None
                protocol = dataclasses.replace(protocol, guidance=guidance)
                repeats.append(
                    sample_quality(evaluator, evaluated, solve, protocol, sample_metrics)
                )
            table += table_over_seeds(repeats)
        return Findings(table)

    return measure


def sample_quality(
    evaluator: Evaluator,
    evaluated: EvaluatedWeights,
    solve: Solve,
    protocol: Protocol,
    sample_metrics: SampleMetrics,
) -> list[Scores]:
    """Measures Frechet and kernel distance to the real images, and LPIPS to the labels' own images.

    Args:
        evaluator: method and examples. The examples' labels are the conditions, unless the
            conventions take all labels in turn. They repeat with new noise up to
            `config.eval.num_feature_samples` samples.
        evaluated: the weights.
        solve: the solver of the generation.
        protocol: the protocol of the scores, with one seed.
        sample_metrics: networks and reference features.
    """
    features, perceptual = sample_metrics.features, sample_metrics.perceptual
    collector = FeatureCollector(features.num_features) if features else None
    # Count, network passes and LPIPS, in float64 on the host.
    totals = np.zeros(3)
    seed, guidance = protocol.seeds[0], evaluator.guidance(protocol.num_steps)
    for batch in _batches(evaluator):
        conditions = evaluator.conditions(batch)
        made = evaluator.generate(evaluated, seed, batch, conditions, solve, guidance)
        valid = np.asarray(batch.valid, np.float64)
        totals[:2] += valid.sum(), valid @ np.asarray(made.nfe)
        if collector is not None and features is not None:
            collector.add(features(made.images), batch.example_index, batch.valid)
        if perceptual is not None:
            real = evaluator.real_images(seed, batch).values
            totals[2] += valid @ np.asarray(perceptual(made.compared, real))
    count, passes, distance = processes.sum_over_processes(totals)
    protocol = dataclasses.replace(protocol, conditions=_conditions(evaluator, int(count)))
    scores = []
    if collector is not None and features is not None and sample_metrics.real is not None:
        named = _with_features(protocol, features.name, features.weights_hash)
        num_real, split = sample_metrics.real.num_examples, evaluator.experiment.eval.real_split
        reference = f"{num_real} real images ({split})"
        named = dataclasses.replace(named, reference=reference)
        values = _distances(collector, sample_metrics.real, features.name)
        scores.append((named, values))
    if perceptual is not None:
        named = _with_features(protocol, "lpips-alexnet", perceptual.weights_hash)
        scores.append((named, {"lpips": float(distance / count)}))
    return [
        Scores(values=values, num_examples=int(count), nfe=float(passes / count), protocol=named)
        for named, values in scores
    ]


def _times(evaluator: Evaluator) -> int:
    """How often each condition comes before the next one."""
    if not evaluator.experiment.conventions.repeats_together:
        return 1
    return -(-evaluator.experiment.eval.num_feature_samples // len(evaluator.source))


def _batches(evaluator: Evaluator) -> Iterator[Batch]:
    num_samples = evaluator.experiment.eval.num_feature_samples
    return evaluator.batches(num_samples, repeated=True, times=_times(evaluator))


def _conditions(evaluator: Evaluator, num_samples: int) -> str:
    """The conditions of the samples in words, such as "2942 masks, each 17 times"."""
    if evaluator.method.is_unconditional:
        return "noise alone"
    if evaluator.balances_labels:
        return f"{evaluator.schema.num_classes} labels in turn"
    times, what = _times(evaluator), evaluator.experiment.kind.value
    used = min(-(-num_samples // times), len(evaluator.source))
    return f"{used} {what}s{f', each {times} times' if times > 1 else ' in turn'}"


def _distances(collector: FeatureCollector, real: FeatureSet, name: str) -> dict[str, float]:
    statistics, rows = collector.finish()
    subset_size = min(_LARGEST_SUBSET, len(rows), len(real.features))
    # A fixed seed gives the same subsets for all samples, so that scores are comparable.
    kernel = kernel_distance(rows, real.features, seed=0, subset_size=subset_size)
    values = (frechet_distance(statistics.gaussian(), real.gaussian), kernel.mean)
    return dict(zip(_NAMES.get(name, _OTHER_NAMES), values, strict=True))


def _with_features(protocol: Protocol, name: str, weights_hash: str) -> Protocol:
    return dataclasses.replace(protocol, features=name, features_hash=weights_hash)
