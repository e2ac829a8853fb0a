"""Every key with its default value; `symmflow_jax/config.py` says what each of them means."""

from symmflow_jax import config_conversion


def get_config():
    """The defaults, locked against unknown keys."""
    return config_conversion.default()
