"""Likelihood of the evaluation split: bits per dimension of images, nats of points."""

import dataclasses
import logging
from typing import NamedTuple

import numpy as np

from symmflow_jax.evaluation.evaluator import EvaluatedWeights, Evaluator
from symmflow_jax.evaluation.findings import Findings, Metric, table_over_seeds
from symmflow_jax.evaluation.measurement import Protocol, Scores
from symmflow_jax.flow.solvers.solver import Solve
from symmflow_jax.inference.compiled import predictions
from symmflow_jax.methods import likelihood
from symmflow_jax.methods.likelihood import Density
from symmflow_jax.metrics.bits import MeanAndError, bits
from symmflow_jax.runtime import processes

_logger = logging.getLogger(__name__)

STANDARD_ERROR = "_standard_error"
"""Ending of the name of a score that is the standard error of another one."""

_ENDINGS = {
    Density.IMAGE_GIVEN_SEMANTICS: "",
    Density.IMAGE: "_unconditional",
    Density.SEMANTICS: "_semantics",
}


class _Unit(NamedTuple):
    """The unit of a score: its name, and the number that the bits or nats are divided by."""

    name: str
    divisor: float


def make_likelihood(evaluator: Evaluator) -> Metric:
    """Makes the metric of likelihood, for all seeds.

    Without `config.eval.likelihood_examples` the metric gives no scores.

    Raises:
        ValueError: if the model has no likelihood, or if the solver's error flatters.
    """
    experiment = evaluator.experiment
    if not experiment.eval.likelihood_examples:
        return lambda evaluated: Findings([])
    densities = densities_of(evaluator)
    solver, num_steps, solve = experiment.density_solver()
    if experiment.data.image_size and not experiment.data.dequantize_images:
        _logger.warning(
            "These images were not dequantised in training, so that their likelihood is that of "
            "levels that the model takes for exact: expect many bits per dimension. Train with "
            "config.data.dequantize_images=True."
        )

    def of_seed(evaluated: EvaluatedWeights, seed: int) -> list[Scores]:
        tolerance = experiment.eval.likelihood_tolerance
        protocol = evaluator.row_protocol(
            "likelihood", evaluated, seed, solver, num_steps, tolerance
        )
        protocol = dataclasses.replace(
            protocol,
            dequantized=bool(experiment.data.image_size),
            ensemble_size=experiment.eval.likelihood_draws,
        )
        return [
            measure_density(evaluator, evaluated, solve, protocol, density) for density in densities
        ]

    def measure(evaluated: EvaluatedWeights) -> Findings:
        return Findings(table_over_seeds([of_seed(evaluated, s) for s in evaluator.seeds]))

    return measure


def densities_of(evaluator: Evaluator) -> list[Density]:
    """The densities that a model has, at least one.

    Raises:
        ValueError: if it has none.
    """
    method = evaluator.method
    likelihood.check(method, Density.IMAGE_GIVEN_SEMANTICS)
    if method.is_unconditional:
        return [Density.IMAGE]
    if method.time_sampling.is_one_task:
        return [Density.IMAGE_GIVEN_SEMANTICS]
    found = [Density.IMAGE_GIVEN_SEMANTICS, Density.IMAGE]
    return [*found, Density.SEMANTICS] if likelihood.semantics_have_density(method) else found


def measure_density(
    evaluator: Evaluator,
    evaluated: EvaluatedWeights,
    solve: Solve,
    protocol: Protocol,
    of: Density,
) -> Scores:
    """Measures one density: its mean over the examples, and the standard error of the mean.

    Args:
        evaluator: method and examples, of which `config.eval.likelihood_examples` count.
        evaluated: the weights.
        solve: the solver.
        protocol: the protocol of the scores, with one seed.
        of: which density.
    """
    method, values = evaluator.method, evaluator.experiment.eval
    size, width = likelihood.num_dimensions(method, of), likelihood.bin_width(method, of)
    unit = _unit(evaluator, of)
    lengths, passes = MeanAndError(), MeanAndError()
    for batch in evaluator.batches(values.likelihood_examples):
        found = evaluator.call(
            predictions.log_likelihood,
            evaluated,
            protocol.seeds[0],
            batch,
            batch.image,
            batch.labels,
            solve=solve,
            of=of,
            num_draws=protocol.ensemble_size,
            num_probes=values.likelihood_probes,
        )
        nats = np.asarray(found.nats)
        length = -nats if unit.name == _NATS else bits(nats, size, width)
        lengths.add(length / unit.divisor, batch.valid)
        passes.add(found.nfe, batch.valid)
    lengths.sums, passes.sums = processes.sum_over_processes((lengths.sums, passes.sums))
    name = unit.name + _ENDINGS[of]
    divergence = likelihood.divergence_of(method, of, values.likelihood_probes)
    return Scores(
        values={name: lengths.mean, name + STANDARD_ERROR: lengths.standard_error},
        num_examples=lengths.count,
        nfe=passes.mean,
        protocol=dataclasses.replace(
            protocol, clock=of.value.clock_name, divergence=str(divergence)
        ),
    )


_NATS = "nats"


def _unit(evaluator: Evaluator, of: Density) -> _Unit:
    """Bits per dimension of images, nats of points, bits per pixel of masks, bits of labels."""
    if of is not Density.SEMANTICS:
        dimensions = likelihood.num_dimensions(evaluator.method, of)
        of_pictures = bool(evaluator.experiment.data.image_size)
        return _Unit("bits_per_dim", dimensions) if of_pictures else _Unit(_NATS, 1.0)
    if evaluator.task == "segmentation":
        height, width, _ = evaluator.method.codec.image_shape
        return _Unit("bits_per_pixel", height * width)
    return _Unit("bits", 1.0)
