"""The command of the study of editing."""

import functools

from absl import flags

from symmflow_jax.runtime import paths
from symmflow_jax.studies import report
from symmflow_jax.studies.editing.study import study

RUN = flags.DEFINE_string(
    "run",
    "",
    "Folder of a trained run of configs/shapes.py, whose scenes are edited; without it, a small "
    "network is trained first.",
)

report.start("editing", lambda: functools.partial(study, paths.expand(RUN.value, "--run"))())
