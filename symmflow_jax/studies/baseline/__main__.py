"""Runs the study: `python -m symmflow_jax.studies.baseline --config=configs/shapes.py`."""

import logging

from absl import flags

from symmflow_jax.config import command_line
from symmflow_jax.config.build.experiment import Experiment
from symmflow_jax.config.command_line import path_flag
from symmflow_jax.config.reading.range_flags import define_number
from symmflow_jax.config.schema.ranges import above, at_least
from symmflow_jax.runtime.storage import place
from symmflow_jax.studies.baseline.study import study
from symmflow_jax.train import train_and_evaluate

_logger = logging.getLogger("symmflow_jax.studies.baseline")

flags.adopt_module_key_flags(command_line)

_WORKDIR = flags.DEFINE_string(
    "workdir", None, "Folder of the runs and the report; runs/<config name>_baseline by default."
)
_STEPS = define_number(
    "steps",
    None,
    "Training steps of each network; those of the config by default.",
    int,
    at_least(1),
)
_SECONDS = define_number(
    "seconds",
    None,
    "Time of the steps of each network with reading, without compilation and evaluations. The "
    "number of steps follows by timing some; not together with --steps.",
    float,
    above(0),
)


def _run(experiment: Experiment) -> None:
    default = f"runs/{command_line.config_name()}_baseline"
    folder = place.place(path_flag(_WORKDIR) or default, "--workdir")
    if _STEPS.value is not None and _SECONDS.value is not None:
        raise ValueError(
            f"--steps={_STEPS.value} and --seconds={_SECONDS.value:g} are both given; leave one "
            "out."
        )
    text = study(experiment, folder, train_and_evaluate, _STEPS.value, _SECONDS.value)
    _logger.info("\n%s", text)


if __name__ == "__main__":
    command_line.start(_run)
