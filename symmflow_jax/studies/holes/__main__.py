"""Runs the study of masks with holes: `python -m symmflow_jax.studies.holes`."""

from symmflow_jax.studies import report
from symmflow_jax.studies.holes.study import study

if __name__ == "__main__":
    report.start("holes", study)
