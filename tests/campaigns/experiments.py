"""Tiny experiments for the campaign, and random weights of their networks."""

import pathlib
import runpy
from typing import Any

import jax
import numpy as np

from symmflow_jax.config import conversion
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.methods.symmflow import SymmFlow
from symmflow_jax.methods.weights import Params
from symmflow_jax.runs.checkpointing import opening, saving
from symmflow_jax.runs.folder import write_description
from symmflow_jax.runs.identity import describe

TINY = pathlib.Path(__file__).parents[1] / "configs" / "tiny.py"


def tiny(**overrides: Any) -> Experiment:
    """The tiny run of the tests with overrides such as `**{"train.batch_size": 4}`."""
    values = runpy.run_path(str(TINY))["get_config"]()
    values.update_from_flattened_dict(overrides)
    return Experiment(conversion.from_config_dict(values))


def points(**overrides: Any) -> Experiment:
    """A run on points with a network of a few hundred weights, which trains in moments."""
    values = {
        "data.source": "spirals",
        "data.train_size": 16,
        "data.eval_size": 8,
        "data.image_size": (),
        "semantics.encoding": "plane",
        "network.name": "mlp",
        "train.num_epochs": 2.0,
        "train.warmup_epochs": 0.1,
        "eval.num_steps": (1,),
        "eval.metrics": ("recognition",),
    }
    return tiny(**values | overrides)


def save_random_run(experiment: Experiment, folder: pathlib.Path) -> None:
    """Makes a run with random weights, without a training."""
    with opening.open_manager(folder, keep=1) as manager:
        saving.save_weights(manager, random_params(experiment.method), describe(experiment))
    write_description(folder, experiment.to_json())


def random_params(method: SymmFlow) -> Params:
    """Parameters of which none is zero, as some are in a fresh network; nothing is compiled."""
    rng = np.random.default_rng(0)
    shapes = jax.eval_shape(method.init, jax.random.key(0))
    return jax.tree.map(
        lambda leaf: (0.1 * rng.standard_normal(leaf.shape)).astype(leaf.dtype), shapes
    )
