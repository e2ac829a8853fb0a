"""What of the data section belongs to a trained model, whatever data it is measured on."""

import dataclasses
import logging

from symmflow_jax.config.values import DataConfig

_logger = logging.getLogger(__name__)

_OF_THE_MODEL = ("fit", "random_scale", "dequantize_images")


def kept(trained: DataConfig, given: DataConfig) -> DataConfig:
    """Other data in the geometry and with the noise of levels that a model was trained with.

    A warning tells of other values.

    Args:
        trained: the data section of the run.
        given: that of the command.
    """
    values = {name: getattr(trained, name) for name in _OF_THE_MODEL}
    for name, value in values.items():
        if getattr(given, name) != value:
            _logger.warning(
                "config.data.%s is %r, but the run was trained with %r, which is used.",
                name, getattr(given, name), value,
            )  # fmt: skip
    return dataclasses.replace(given, **values)
