"""What of the data section belongs to a trained model, whatever data it is measured on."""

import dataclasses
import logging

from symmflow_jax.config.values import DataConfig

_logger = logging.getLogger(__name__)

_GEOMETRY = ("image_size", "fit", "random_scale", "random_crop", "resampling")
_LEVELS = ("image_channels", "image_depth", "value_range", "dequantize_images")
_OF_POINTS = ("point_size",)


def kept(trained: DataConfig, given: DataConfig) -> DataConfig:
    """Other data in the geometry and with the channels and levels that a model was trained with.

    A warning tells of other values.

    Args:
        trained: the data section of the run.
        given: that of the command.
    """
    names = differing(trained, given)
    for name in names:
        _logger.warning(
            "config.data.%s is %r, but the run was trained with %r. That is used, since it belongs "
            "to the model.",
            name,
            getattr(given, name),
            getattr(trained, name),
        )
    return dataclasses.replace(given, **{name: getattr(trained, name) for name in names})


def differing(trained: DataConfig, given: DataConfig) -> list[str]:
    """The keys of a model that other data has other values of; none of points beside images."""
    if bool(trained.image_size) != bool(given.image_size):
        return []
    names = (*_GEOMETRY, *_LEVELS) if trained.image_size else _OF_POINTS
    return [name for name in names if getattr(given, name) != getattr(trained, name)]
