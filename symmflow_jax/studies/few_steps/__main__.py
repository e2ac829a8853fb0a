"""Runs the study of few steps: `python -m symmflow_jax.studies.few_steps`."""

from symmflow_jax.studies import report
from symmflow_jax.studies.few_steps.study import study

if __name__ == "__main__":
    report.start("few_steps", study)
