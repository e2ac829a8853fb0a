"""How fast a config's programs are here: `python -m symmflow_jax.benchmark --config=...`."""
