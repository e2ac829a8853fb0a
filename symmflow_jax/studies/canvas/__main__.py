"""Runs the study of canvases: `python -m symmflow_jax.studies.canvas`."""

from absl import flags

from symmflow_jax.studies import report
from symmflow_jax.studies.canvas.study import study

if __name__ == "__main__":
    run = flags.DEFINE_string(
        "run", "", "Folder of a run of configs/shapes.py; a shorter one is trained by default."
    )
    report.start("canvas", lambda: study(run.value))
