"""Table of class weights, and the weights of a run."""

import dataclasses
from collections.abc import Callable

import numpy as np

from symmflow_jax.config.build.method.method import semantics_parameterization
from symmflow_jax.config.choices import Choice
from symmflow_jax.config.values import Config
from symmflow_jax.data.class_counts import ClassCounts
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.semantics.categorical import CategoricalParameterization
from symmflow_jax.semantics.labels import LabelSchema


@dataclasses.dataclass(frozen=True)
class WeightsChoice(Choice):
    """A way to weight classes; its constructor is a function of their shares of the pixels.

    Attributes:
        are_counted: True if the weights come from the counts of the training data.
        are_given: True if they come from `train.given_class_weights`.
    """

    are_counted: bool = True
    are_given: bool = False


CLASS_WEIGHTS: dict[str, WeightsChoice] = {
    "equal": WeightsChoice(np.ones_like, "all classes weigh the same", are_counted=False),
    "enet": WeightsChoice(
        "symmflow_jax.semantics.class_weights:enet",
        "`1 / ln(1.02 + share)` of the pixels, as in ENet",
    ),
    "inverse_sqrt": WeightsChoice(
        "symmflow_jax.semantics.class_weights:inverse_square_root",
        "one over the square root of the share of the pixels",
    ),
    "given": WeightsChoice(
        np.ones_like, "those of `train.given_class_weights`", are_counted=False, are_given=True
    ),
}
"""The values of `config.train.class_weights`."""


def check(config: Config) -> None:
    """Raises a ValueError for class weights that the loss cannot have."""
    choice, given = CLASS_WEIGHTS[config.train.class_weights], config.train.given_class_weights
    if not choice.are_counted and not choice.are_given:
        return
    learned_as = semantics_parameterization(config)
    if learned_as != "categorical":
        raise ValueError(
            f"config.train.class_weights is {config.train.class_weights!r}, which weights a "
            f"cross-entropy, but these semantics are learned as {learned_as!r}; set "
            "config.semantics.encoding='onehot', or config.train.class_weights='equal'."
        )
    if choice.are_given and not sum(given):
        raise ValueError(
            f"config.train.class_weights is 'given', but config.train.given_class_weights is "
            f"{given}; give one number for each class, not all of them 0."
        )


def are_counted(config: Config) -> bool:
    """True if the loss needs the counts of the training data's classes."""
    return CLASS_WEIGHTS[config.train.class_weights].are_counted


def weighted(
    config: Config,
    method: SymmFlow,
    schema: LabelSchema,
    counts: Callable[[], ClassCounts],
) -> SymmFlow:
    """The method with the class weights of a config, for training.

    Args:
        config: the config.
        method: the method without weights.
        schema: the classes.
        counts: gives the counts of the classes in the training data; called if they are needed.

    Raises:
        ValueError: if there is another number of given weights than of classes.
    """
    choice, weights = CLASS_WEIGHTS[config.train.class_weights], config.train.given_class_weights
    if not choice.are_counted and not choice.are_given:
        return method
    if choice.are_counted:
        weights = tuple(choice.resolve()(counts().shares()).tolist())
    elif len(weights) != schema.num_classes:
        raise ValueError(
            f"config.train.given_class_weights has {len(weights)} numbers for the "
            f"{schema.num_classes} classes {', '.join(schema.names)}; give one for each."
        )
    semantics = method.parameterizations.semantics
    assert isinstance(semantics, CategoricalParameterization), "see check"
    changed = dataclasses.replace(semantics, class_weights=weights)
    parameterizations = method.parameterizations._replace(semantics=changed)
    return dataclasses.replace(method, parameterizations=parameterizations)
