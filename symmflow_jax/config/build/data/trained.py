"""What of the data section belongs to a trained model, whatever data it is measured on."""

import dataclasses
import logging

from symmflow_jax.config.values import DataConfig

_logger = logging.getLogger(__name__)

_GEOMETRY = ("image_size", "fit", "random_scale")
_LEVELS = ("image_channels", "image_depth", "value_range", "dequantize_images")


def kept(trained: DataConfig, given: DataConfig) -> DataConfig:
    """Other data in the geometry and with the channels and levels that a model was trained with.

    A warning tells of other values. Points and images are not brought together.

    Args:
        trained: the data section of the run.
        given: that of the command.
    """
    if bool(trained.image_size) != bool(given.image_size):
        return given
    values = {name: getattr(trained, name) for name in (*_GEOMETRY, *_LEVELS)}
    for name, value in values.items():
        if getattr(given, name) != value:
            _logger.warning(
                "config.data.%s is %r, but the run was trained with %r, which is used.",
                name, getattr(given, name), value,
            )  # fmt: skip
    return dataclasses.replace(given, **values)
