"""Tiny experiments for the campaign."""

import pathlib
import runpy
from typing import Any

from symmflow_jax.config import conversion
from symmflow_jax.config.build.experiment import Experiment

TINY = pathlib.Path(__file__).parents[1] / "configs" / "tiny.py"


def tiny(**overrides: Any) -> Experiment:
    """The tiny run of the tests with overrides such as `**{"train.batch_size": 4}`."""
    values = runpy.run_path(str(TINY))["get_config"]()
    values.update_from_flattened_dict({"network.channel_multipliers": (1,)} | overrides)
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
