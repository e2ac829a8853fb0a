"""A table of measurements to report."""

import dataclasses
from collections.abc import Callable

import pytest

from symmflow_jax.evaluation.measurement import Measurement, Protocol

_PROTOCOL = Protocol(
    task="segmentation",
    dataset="shapes",
    split="test",
    image_size=(32, 48),
    crop="centre",
    scored_size="model",
    solver="euler",
    num_steps=1,
    weights="ema",
    train_step=30,
    seeds=(7,),
)


@pytest.fixture(scope="session")
def measurement() -> Callable[..., Measurement]:
    """A function from changes of the protocol, and of the rest, to a measurement."""

    def make(protocol=None, **changes) -> Measurement:
        values = {"metric": "miou", "value": 0.5, "num_examples": 500, "nfe": 1.0} | changes
        return Measurement(**values, protocol=dataclasses.replace(_PROTOCOL, **(protocol or {})))

    return make


@pytest.fixture
def table(measurement) -> list[Measurement]:
    """One-step, fixed and adaptive solvers, and a loss."""
    rk4 = {"solver": "rk4", "num_steps": 2}
    dopri5 = {"solver": "dopri5", "num_steps": None, "tolerance": 1e-3}
    objective = {"task": "objective", "solver": None, "num_steps": None, "scored_size": None}
    return [
        measurement(),
        measurement(metric="pixel_accuracy", value=0.75),
        measurement(rk4, nfe=8.0, value=0.625),
        measurement(rk4, nfe=8.0, metric="pixel_accuracy", value=0.8),
        measurement(dopri5, nfe=23.46, value=0.65),
        measurement(dopri5, nfe=23.46, metric="pixel_accuracy", value=1.0),
        measurement(objective, nfe=None, metric="loss"),
    ]
