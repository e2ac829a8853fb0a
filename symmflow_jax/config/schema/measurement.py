"""Checks of what an evaluation asks for: metrics, likelihood, and a model of images alone."""

import operator
from collections.abc import Iterable

from symmflow_jax.config.build.method.method import CLOCKS
from symmflow_jax.config.build.metrics import METRICS, measurable
from symmflow_jax.config.build.solvers import make_density_solver
from symmflow_jax.config.choices import listed
from symmflow_jax.config.values import Config, EvalConfig
from symmflow_jax.flow.time_sampling import TimeSampling
from symmflow_jax.methods import likelihood
from symmflow_jax.methods.likelihood import Density
from symmflow_jax.methods.symmflow import SymmFlow


def check(config: Config) -> None:
    """Raises a ValueError if a config measures what cannot be measured."""
    _check_numbers(config.eval)
    make_density_solver(config.eval)
    sampling = CLOCKS[config.train.clock].make(config.train)
    if sampling.is_unconditional:
        _check_metrics_of_images(config.eval.metrics)
        _check_images_alone(config)
    if sampling.is_one_task:
        _check_metrics_of_one_task(config.eval, sampling)
        _check_one_task(config)


def check_method(method: SymmFlow, values: EvalConfig) -> None:
    """Checks that a model has what an evaluation asks for, before the evaluation or training.

    A model may be of another config than the evaluation.

    Raises:
        ValueError: if it has no likelihood, or knows images alone but is asked for semantics.
    """
    if values.likelihood_examples:
        likelihood.check(method, Density.IMAGE_GIVEN_SEMANTICS)
    if method.is_unconditional:
        _check_metrics_of_images(values.metrics)
    if method.time_sampling.is_one_task:
        _check_metrics_of_one_task(values, method.time_sampling)


def _check_numbers(values: EvalConfig) -> None:
    """Checks that a number of examples or samples has the metric that it is for."""
    for name, choice in METRICS.items():
        number = getattr(values, choice.asked_by) if choice.asked_by else 0
        if number and name not in values.metrics:
            raise ValueError(
                f"config.eval.{choice.asked_by} is {number}, but config.eval.metrics lacks "
                f"{name!r}, which measures them; add it, or set config.eval.{choice.asked_by}=0."
            )


_ALONE = "the model learns images alone (config.train.clock='unconditional')"


def _check_metrics_of_images(metrics: Iterable[str]) -> None:
    fit = [name for name, choice in METRICS.items() if not choice.of_semantics]
    for name in metrics:
        if name not in fit:
            raise ValueError(
                f"config.eval.metrics has {name!r}, but {_ALONE}; choose from {listed(fit)}."
            )


def _check_metrics_of_one_task(values: EvalConfig, sampling: TimeSampling) -> None:
    """Checks that something remains to be measured, and that no number asks for the other task."""
    measured = measurable(values.metrics, sampling)
    task = "generation" if sampling.learns_images else "recognition"
    fit = measurable(METRICS, sampling)
    if not measured:
        raise ValueError(
            f"config.eval.metrics is {values.metrics!r}, but the model learns {task} alone; choose "
            f"from {listed(fit)}."
        )
    for name, choice in METRICS.items():
        number = getattr(values, choice.asked_by) if choice.asked_by else 0
        if number and name not in fit:
            raise ValueError(
                f"config.eval.{choice.asked_by} is {number}, but the model learns {task} alone and "
                f"has no {name!r}; set it to 0."
            )


def _check_one_task(config: Config) -> None:
    """Checks that nothing else of a config concerns the task that is not learned."""
    asks = {
        "eval.clock": config.eval.clock == "tied",
        "guidance.weight": config.guidance.weight != 1.0,
    }
    for key in (key for key, is_asked in asks.items() if is_asked):
        given = operator.attrgetter(key)(config)
        raise ValueError(
            f"config.{key} is {given!r}, which needs times that config.train.clock="
            f"{config.train.clock!r} does not learn; leave it out."
        )


def _check_images_alone(config: Config) -> None:
    """Checks that nothing else of a config concerns semantics."""
    asks = {
        "eval.lpips_weights": bool(config.eval.lpips_weights),
        "eval.clock": bool(config.eval.clock),
        "guidance.weight": config.guidance.weight != 1.0,
    }
    for key in (key for key, is_asked in asks.items() if is_asked):
        given = operator.attrgetter(key)(config)
        raise ValueError(
            f"config.{key} is {given!r}, which is of images with semantics, but {_ALONE}; leave "
            "it out."
        )
