"""Every key with its default value; `symmflow_jax/config/values.py` explains each key."""

from symmflow_jax.config import conversion


def get_config():
    """The defaults, locked against unknown keys."""
    return conversion.default()
