"""The command of the study of likelihood."""

from symmflow_jax.studies import report
from symmflow_jax.studies.likelihood.study import study

report.start("likelihood", study)
