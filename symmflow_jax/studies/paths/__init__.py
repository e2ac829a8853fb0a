"""Study of probability paths: `python -m symmflow_jax.studies.paths --workdir=runs/paths`."""
