"""Runs the study of mixed supervision: `python -m symmflow_jax.studies.mixed`."""

from symmflow_jax.studies import report
from symmflow_jax.studies.mixed.study import study

if __name__ == "__main__":
    report.start("mixed", study)
