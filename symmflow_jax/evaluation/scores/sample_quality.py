"""Generated images beside real ones: distances of their distributions, and LPIPS of pairs."""

import dataclasses

import numpy as np

from symmflow_jax.evaluation.evaluator import EvaluatedWeights, Evaluator
from symmflow_jax.evaluation.findings import Findings, Metric, table_over_seeds
from symmflow_jax.evaluation.measurement import Protocol, Scores
from symmflow_jax.evaluation.scores.real_features import FeatureCollector, FeatureSet, real_features
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference import predictions
from symmflow_jax.metrics.features import FeatureFunction
from symmflow_jax.metrics.frechet import frechet_distance
from symmflow_jax.metrics.kernel_distance import kernel_distance
from symmflow_jax.metrics.lpips import Lpips
from symmflow_jax.runtime import processes

# Only distances of Inception features bear these names, and the paper's are such.
_NAMES = {"inception": ("fid", "kid")}
_OTHER_NAMES = ("frechet_distance", "kernel_distance")
_LARGEST_SUBSET = 1_000


@dataclasses.dataclass(frozen=True)
class SampleMetrics:
    """What samples are compared by.

    Attributes:
        features: feature function of the distances of distributions, or None.
        real: the real images' features, None like `features`.
        perceptual: LPIPS, or None.
    """

    features: FeatureFunction | None
    real: FeatureSet | None
    perceptual: Lpips | None


def make_sample_metrics(evaluator: Evaluator) -> SampleMetrics:
    """What the config asks for; measures the real images if that has not been done before.

    Raises:
        ValueError: if weights are missing or of another network.
    """
    features = evaluator.experiment.feature_function()
    real = real_features(evaluator, features) if features else None
    return SampleMetrics(features, real, evaluator.experiment.perceptual_distance())


def make_sample_quality(evaluator: Evaluator) -> Metric:
    """What generated images are like, for every solver, number of steps and seed.

    Raises:
        ValueError: if weights are missing or of another network.
    """
    if not evaluator.experiment.eval.num_feature_samples:
        return lambda trained: Findings([])
    sample_metrics = make_sample_metrics(evaluator)

    def measure(trained: EvaluatedWeights) -> Findings:
        table = []
        for solver, num_steps, solve in evaluator.experiment.solver_rows():
            repeats = []
            for seed in evaluator.seeds:
                protocol = evaluator.row_protocol("generation", trained, seed, solver, num_steps)
                guidance = str(evaluator.guidance(num_steps)) or None
                protocol = dataclasses.replace(protocol, guidance=guidance)
                repeats.append(sample_quality(evaluator, trained, solve, protocol, sample_metrics))
            table += table_over_seeds(repeats)
        return Findings(table)

    return measure


def sample_quality(
    evaluator: Evaluator,
    trained: EvaluatedWeights,
    solve: Solve,
    protocol: Protocol,
    sample_metrics: SampleMetrics,
) -> list[Scores]:
    """Frechet and kernel distance to the real images, and LPIPS to those of the same labels.

    Args:
        evaluator: method and examples, whose labels are the conditions, repeated with fresh
            noise up to `config.eval.num_feature_samples`.
        trained: what is measured.
        solve: the solver of the generation.
        protocol: that of the scores, with one seed.
        sample_metrics: what samples are compared by.
    """
    features, perceptual = sample_metrics.features, sample_metrics.perceptual
    collector = FeatureCollector(features.num_features) if features else None
    # Count, network passes and LPIPS, in float64 on the host.
    totals = np.zeros(3)
    for batch in evaluator.batches(evaluator.experiment.eval.num_feature_samples, repeated=True):
        made = evaluator.call(
            predictions.generate,
            trained,
            protocol.seeds[0],
            batch,
            batch.labels,
            solve=solve,
            guidance=evaluator.guidance(protocol.num_steps),
        )
        valid = np.asarray(batch.valid, np.float64)
        totals[:2] += valid.sum(), valid @ np.asarray(made.nfe)
        if collector is not None and features is not None:
            collector.add(features(made.images), batch.example_index, batch.valid)
        if perceptual is not None:
            totals[2] += valid @ np.asarray(perceptual(made.images, batch.image.values))
    count, passes, distance = processes.sum_over_processes(totals)
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


def _distances(collector: FeatureCollector, real: FeatureSet, name: str) -> dict[str, float]:
    statistics, rows = collector.finish()
    subset_size = min(_LARGEST_SUBSET, len(rows), len(real.features))
    # The subsets are the same for all samples, so that these differ by nothing else.
    kernel = kernel_distance(rows, real.features, seed=0, subset_size=subset_size)
    values = (frechet_distance(statistics.gaussian(), real.gaussian), kernel.mean)
    return dict(zip(_NAMES.get(name, _OTHER_NAMES), values, strict=True))


def _with_features(protocol: Protocol, name: str, weights_hash: str) -> Protocol:
    return dataclasses.replace(protocol, features=name, features_hash=weights_hash)
