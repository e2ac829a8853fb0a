"""Evaluation and guidance."""

import dataclasses
from typing import Annotated

from symmflow_jax.config.schema.fields import FilePath, WeightsPath
from symmflow_jax.config.schema.ranges import (
    OVERLAP,
    Range,
    between,
)
from symmflow_jax.config.sections.numbers import (
    Count,
    CountOrZero,
    Positive,
    Share,
)


@dataclasses.dataclass(frozen=True)
class EvalConfig:
    """Evaluation: the metrics, and how they are measured.

    Attributes:
        protocol: the conventions of the scores, a name of `PROTOCOLS` (docs/choices.md). Each
            score tells its own. docs/published_code.md has the differences.
        batch_size: examples per batch of one process, over its devices.
        num_examples: examples of the final evaluation; 0 takes the whole split.
        num_quick_examples: examples of the quick evaluations during training; 0 takes the whole
            split.
        metrics: the metrics, at least one, names of `METRICS` (docs/choices.md).
        solvers: the solvers of the table, at least one, names of `SOLVERS` (docs/choices.md);
            those of images alone have no rows of recognition.
        num_steps: step counts of the table, at least one; the adaptive solver ignores them.
        generation_solver: solver of the generated images that are read back or shown, a name of
            `SOLVERS` (docs/choices.md).
        generation_steps: its steps.
        num_generated: generated images that are read back and compared with their conditions;
            0 takes the conditions of the whole split.
        ensemble_size: noise draws per image whose predictions are combined by vote; confidences,
            and distances from the codes of labels, are averaged.
        clock: clock of inference: "tied" (both components change, as in the paper), "clean" (the
            given component stays clean; needs a network with two clocks), or "" ("clean" for a
            network with two clocks, "tied" for one clock).
        likelihood_draws: dequantised copies of an example, the mean of whose densities is its
            likelihood; the more, the lower the bits. They share the probes.
        likelihood_examples: examples whose likelihood is measured by the metric "likelihood"; 0 for
            none. docs/likelihood.md has the details.
        likelihood_probes: random probes of the divergence of more than 64 dimensions; up to 64 it
            is exact.
        likelihood_solver: the solver of likelihoods, a name of `SOLVERS` (docs/choices.md).
            "euler" is refused.
        likelihood_steps: its number of steps, if it is not adaptive.
        likelihood_tolerance: its local error tolerance, if it is adaptive.
        tolerance: local error tolerance of the adaptive solver in tables, in generation, and of
            `--solver`; that of likelihoods is another.
        num_seeds: number of repetitions with fresh noise, with the seeds `seed`, `seed + 1`, ...;
            means and standard deviations are reported.
        original_size: also compare masks at their own size; masks only. Predictions are enlarged
            to the part of the image that the model saw, unless `fit` is set.
        fit: how whole images are read for `original_size`, a name of `VIEWS` (docs/choices.md),
            such as "tiles"; "" reads the part that `data.fit` keeps. See docs/any_size.md.
        overlap: share of a window of `fit` that the next one covers.
        flips: also read the mirror image of each window, and average.
        scale: pixels of the model for each pixel of an image, for the fits "tiles" and "whole";
            None takes the scale that the run was trained at.
        scales: factors of that scale at which images are read; the answers are averaged.
        num_feature_samples: images generated for each row of the table and compared with real
            ones by `features` or LPIPS; 0 for no comparison, else at least 2. The labels of the
            split are repeated with fresh noise as often as necessary. 50,000 in the paper.
        features: features of the Fréchet and kernel distances, a name of `FEATURES`
            (docs/choices.md); "" for no such distances.
        feature_weights: weights file of the features; required if `features` is not "".
        lpips_weights: weights file of LPIPS, which compares each sample with the real image of
            its label or mask; "" for no LPIPS.
        real_split: split of the real images, "eval" or "train".
        statistics_dir: folder in which the features of real images are cached, under the content
            of their files.
        checkpoint: the checkpoint to evaluate, "latest" or "best".
    """

    protocol: str = "ours"
    batch_size: Count = 100
    num_examples: CountOrZero = 0
    num_quick_examples: CountOrZero = 100
    metrics: tuple[str, ...] = (
        *("recognition", "agreement", "cycle", "sample_quality", "likelihood", "objective"),
    )
    solvers: tuple[str, ...] = ("euler",)
    num_steps: tuple[Count, ...] = (1, 2, 5, 10, 25)
    generation_solver: str = "euler"
    generation_steps: Count = 25
    num_generated: CountOrZero = 100
    ensemble_size: Count = 1
    clock: str = ""
    likelihood_draws: Count = 1
    likelihood_examples: CountOrZero = 0
    likelihood_probes: Count = 1
    likelihood_solver: str = "dopri5"
    likelihood_steps: Count = 10
    likelihood_tolerance: Annotated[float, between(1e-7, 1)] = 1e-5
    tolerance: Annotated[float, between(1e-7, 1)] = 1e-3
    num_seeds: Count = 1
    original_size: bool = False
    fit: str = ""
    overlap: Annotated[float, OVERLAP] = 0.5
    flips: bool = False
    scale: Positive | None = None
    scales: tuple[Positive, ...] = (1.0,)
    num_feature_samples: CountOrZero = 0
    features: str = ""
    feature_weights: WeightsPath = ""
    lpips_weights: WeightsPath = ""
    real_split: str = "eval"
    statistics_dir: FilePath = "runs/statistics"
    checkpoint: str = "latest"


@dataclasses.dataclass(frozen=True)
class GuidanceConfig:
    """Classifier-free guidance of generated images.

    A `weight` other than 1 needs a network with two clocks.

    Attributes:
        weight: weight w of `u + w (c - u)`, where c is the conditional and u the unconditional
            velocity; 1 for no guidance.
        start, end: interval of the image's times with guidance, `start <= end`.
        project: scale the unconditional velocity to its best fit of the conditional one
            (CFG-Zero*).
        skip_first_step: keep the image unchanged in the first step (CFG-Zero*); needs a solver
            of fixed steps.
    """

    weight: Annotated[float, Range()] = 1.0
    start: Share = 0.0
    end: Share = 1.0
    project: bool = False
    skip_first_step: bool = False
