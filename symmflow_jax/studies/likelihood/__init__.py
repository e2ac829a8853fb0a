"""Study of likelihood: `python -m symmflow_jax.studies.likelihood --workdir=runs/likelihood`."""
