"""Checks of what an evaluation asks for: metrics, likelihood, and a model of images alone."""

import operator
from collections.abc import Iterable

from symmflow_jax.config.build.method.method import CLOCKS
from symmflow_jax.config.build.metrics import METRICS
from symmflow_jax.config.build.solvers import make_density_solver
from symmflow_jax.config.choices import listed
from symmflow_jax.config.values import Config, EvalConfig
from symmflow_jax.methods import likelihood
from symmflow_jax.methods.likelihood import Density
from symmflow_jax.methods.symmflow import SymmFlow


def check(config: Config) -> None:
    """Raises a ValueError if a config measures what cannot be measured."""
    _check_numbers(config.eval)
    _check_samples(config)
    make_density_solver(config.eval)
    if CLOCKS[config.train.clock].make(config.train).is_unconditional:
        _check_metrics_of_images(config.eval.metrics)
        _check_images_alone(config)


def check_method(method: SymmFlow, values: EvalConfig) -> None:
    """Checks that a model has what an evaluation asks for, before the evaluation or training.

    A model may be of another config than the evaluation.

    Raises:
        ValueError: if it has no likelihood, or knows images alone but is asked for semantics.
    """
    if values.likelihood_examples:
        likelihood.check(method, Density.IMAGE)
    if method.is_unconditional:
        _check_metrics_of_images(values.metrics)


def _check_samples(config: Config) -> None:
    """Checks that `num_feature_samples` is set if and only if samples are compared."""
    values = config.eval
    if values.num_feature_samples == 1:
        raise ValueError(
            f"config.eval.num_feature_samples is {values.num_feature_samples}; a distribution "
            "needs at least 2 samples, and 0 leaves the comparison out."
        )
    if values.features and not values.feature_weights:
        raise ValueError(
            f"config.eval.features is {values.features!r} but config.eval.feature_weights is "
            "empty; give the file of its weights."
        )
    compares = bool(values.features or values.lpips_weights)
    if compares and not values.num_feature_samples:
        raise ValueError(
            "config.eval.features or lpips_weights is set but config.eval.num_feature_samples is "
            "0; say how many images to generate, such as 50000."
        )
    if values.num_feature_samples and not compares:
        raise ValueError(
            f"config.eval.num_feature_samples is {values.num_feature_samples}, but nothing "
            "compares the samples; set config.eval.features or lpips_weights."
        )
    if compares and not config.data.image_size:
        raise ValueError(
            "config.eval.features and lpips_weights are of images, but config.data.image_size is "
            "empty, which means points."
        )


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
