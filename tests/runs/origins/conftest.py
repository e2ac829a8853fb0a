"""Trainings of seconds on points, which others begin with or learn from."""

import jax
import pytest

from symmflow_jax.train import train_and_evaluate

POINTS = {
    "data.source": "gaussian_mixture",
    "data.image_size": (),
    "data.point_size": 16,
    "semantics.encoding": "onehot",
    "network.name": "mlp",
    "train.num_epochs": 0.5,
    "train.ema_decay": 0.5,
    "eval.metrics": ("objective",),
}


@pytest.fixture(scope="session")
def make(tiny_experiment):
    """A function from overrides to an experiment on points."""
    return lambda **overrides: tiny_experiment(**POINTS | overrides)


def _trained(make, tmp_path_factory, **overrides):
    folder = tmp_path_factory.mktemp("trained")
    with jax.numpy_dtype_promotion("standard"):
        train_and_evaluate(make(**overrides), folder)
    return folder


@pytest.fixture(scope="session")
def trained(make, tmp_path_factory):
    """The folder of a run with one clock."""
    return _trained(make, tmp_path_factory)


@pytest.fixture(scope="session")
def trained_two_clocks(make, tmp_path_factory):
    """The folder of a run with two clocks."""
    clocks = {"train.clock": "mixed", "train.prob_at_one": 0.3}
    return _trained(make, tmp_path_factory, **clocks)
