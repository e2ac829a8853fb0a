"""Study of editing: `python -m symmflow_jax.studies.editing --workdir=runs/editing`."""
