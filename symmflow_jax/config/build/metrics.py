"""Tables of metrics, features and protocols; feature functions, LPIPS and conventions."""

import dataclasses
from collections.abc import Iterable

from symmflow_jax.config.choices import Choice
from symmflow_jax.config.values import EvalConfig
from symmflow_jax.flow.time_sampling import TimeSampling
from symmflow_jax.metrics import conventions, lpips
from symmflow_jax.metrics.conventions import Conventions
from symmflow_jax.metrics.features import FeatureFunction
from symmflow_jax.metrics.lpips import Lpips
from symmflow_jax.semantics.kinds import SemanticsKind


@dataclasses.dataclass(frozen=True)
class MetricChoice(Choice):
    """A metric, made by `constructor(evaluator)`.

    Attributes:
        kinds: kinds of semantics that it can be measured of.
        of_semantics: True if it needs a model that reads semantics.
        of_images: True if it needs a model that makes images.
        asked_by: key of `config.eval` whose number asks for it; "" if its name alone does.
        reads: whether it has a row for each solver that predicts semantics.
    """

    kinds: tuple[SemanticsKind, ...] = tuple(SemanticsKind)
    of_semantics: bool = True
    of_images: bool = True
    asked_by: str = ""
    reads: bool = False


METRICS: dict[str, MetricChoice] = {
    "recognition": MetricChoice(
        "symmflow_jax.evaluation.scores.recognition:make_recognition",
        "mIoU or accuracy, calibration and risk by coverage, for every solver and step count",
        of_images=False,
        reads=True,
    ),
    "selective_recognition": MetricChoice(
        "symmflow_jax.evaluation.scores.selective:make_selective_recognition",
        "`recognition` of labels, with AUC, and with both as the least sure labels are rejected",
        (SemanticsKind.LABEL,),
        of_images=False,
        reads=True,
    ),
    "agreement": MetricChoice(
        "symmflow_jax.evaluation.scores.generation:make_agreement",
        "labels read in generated images in one step, compared with the conditions",
    ),
    "cycle": MetricChoice(
        "symmflow_jax.evaluation.scores.generation:make_cycle",
        "real images compared with images generated from their predicted labels",
    ),
    "sample_quality": MetricChoice(
        "symmflow_jax.evaluation.scores.sample_quality:make_sample_quality",
        "FID, KID and LPIPS, if `eval.num_feature_samples` is positive",
        of_semantics=False,
        asked_by="num_feature_samples",
    ),
    "likelihood": MetricChoice(
        "symmflow_jax.evaluation.likelihood:make_likelihood",
        "bits per dimension of images, with semantics and without, and of semantics, if "
        "`eval.likelihood_examples` is positive",
        of_semantics=False,
        asked_by="likelihood_examples",
    ),
    "objective": MetricChoice(
        "symmflow_jax.evaluation.scores.objective:make_objective",
        "the loss of the flow on unseen examples",
        of_semantics=False,
        of_images=False,
    ),
}
"""The values of `config.eval.metrics`; a constructor takes the evaluator and makes a `Metric`."""

FEATURES: dict[str, Choice] = {
    "": Choice("symmflow_jax.metrics.features:no_features", "no distance of distributions"),
    "inception": Choice(
        "symmflow_jax.metrics.features:inception", "pooled features of Inception: FID and KID"
    ),
    "classifier": Choice(
        "symmflow_jax.metrics.features:classifier",
        "the last hidden layer of a classifier from `--mode=train_classifier`",
    ),
}
"""The values of `config.eval.features`; a constructor takes the path of the weights."""

PROTOCOLS: dict[str, Choice] = {
    "ours": Choice(
        lambda: conventions.OURS,
        "central crops, clean images, samples rounded to 8 bits, also for LPIPS",
    ),
    "published": Choice(
        lambda: conventions.PUBLISHED,
        "as the published code: examples prepared as in training, samples cut to 8 bits, LPIPS of "
        "unclipped signals, masks clipped before they are read, labels in turn, masks repeated "
        "one by one",
    ),
}
"""The values of `config.eval.protocol`; a constructor gives `Conventions`."""


def measurable(names: Iterable[str], sampling: TimeSampling) -> list[str]:
    """The names of the metrics that a model has, by the times at which it has learned."""
    return [
        name
        for name in names
        if (sampling.learns_semantics or not METRICS[name].of_semantics)
        and (sampling.learns_images or not METRICS[name].of_images)
    ]


def make_conventions(config: EvalConfig) -> Conventions:
    """The conventions of the scores."""
    return PROTOCOLS[config.protocol].resolve()()


def make_feature_function(config: EvalConfig) -> FeatureFunction | None:
    """Makes the feature function, or None; raises ValueError for invalid weights."""
    return FEATURES[config.features].resolve()(config.feature_weights)


def make_perceptual_distance(config: EvalConfig) -> Lpips | None:
    """Makes LPIPS, or None without weights; raises ValueError for invalid weights."""
    return lpips.lpips(config.lpips_weights) if config.lpips_weights else None
