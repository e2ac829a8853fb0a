"""The command of the study of probability paths."""

from symmflow_jax.studies import report
from symmflow_jax.studies.paths.study import study

report.start("paths", study)
